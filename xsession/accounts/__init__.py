"""Accounts by name: in code, in a file, or in the profiles of `~/.aws/config`."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._account import SOURCE, Account, AccountRef
    from ._account import AccountsLike as AccountsLike
    from ._account import required_role as required_role
    from ._accounts import Accounts
    from ._aws_config import AwsFiles as AwsFiles
    from ._aws_config import Sections as Sections
    from ._aws_config import read_sections as read_sections
    from ._discovery import Discovery as Discovery
    from ._discovery import with_changes as with_changes
    from ._display import account_table as account_table
    from ._display import accounts_table as accounts_table
    from ._explanation import AccountChoice, Explanation
    from ._graph import AccountGraph, GraphStep
    from ._identity_center import IdentityCenterAccount
    from ._kept_answers import KeptAnswer as KeptAnswer
    from ._kept_answers import KeptAnswers as KeptAnswers
    from ._kept_organizations import KeptOrganizations as KeptOrganizations
    from ._names import valid_names
    from ._organization import Organization, OrganizationAccount, OrganizationalUnit
    from ._organization import age_in_words as age_in_words
    from ._profile import Profile as Profile
    from ._profile import ProfileSettings as ProfileSettings
    from ._source_descriptor import SourceDescriptor as SourceDescriptor
    from ._source_descriptor import describe_source as describe_source
    from ._source_descriptor import settings_reader as settings_reader
    from ._source_descriptor import settings_state as settings_state
    from ._source_descriptor import source_key as source_key
    from ._source_descriptor import sts_endpoint as sts_endpoint
    from ._source_descriptor import turn_key as turn_key
    from ._trusted_files import TrustedFiles

__all__ = [
    "SOURCE",
    "Account",
    "AccountChoice",
    "AccountGraph",
    "AccountRef",
    "Accounts",
    "Explanation",
    "GraphStep",
    "IdentityCenterAccount",
    "Organization",
    "OrganizationAccount",
    "OrganizationalUnit",
    "TrustedFiles",
    "valid_names",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_account": ("SOURCE", "Account", "AccountRef", "AccountsLike", "required_role"),
        "_accounts": ("Accounts",),
        "_aws_config": ("AwsFiles", "Sections", "read_sections"),
        "_discovery": ("Discovery", "with_changes"),
        "_display": ("account_table", "accounts_table"),
        "_explanation": ("AccountChoice", "Explanation"),
        "_graph": ("AccountGraph", "GraphStep"),
        "_identity_center": ("IdentityCenterAccount",),
        "_kept_answers": ("KeptAnswer", "KeptAnswers"),
        "_kept_organizations": ("KeptOrganizations",),
        "_names": ("valid_names",),
        "_organization": ("Organization", "OrganizationAccount", "OrganizationalUnit", "age_in_words"),
        "_profile": ("Profile", "ProfileSettings"),
        "_source_descriptor": (
            "SourceDescriptor",
            "describe_source",
            "settings_reader",
            "settings_state",
            "source_key",
            "sts_endpoint",
            "turn_key",
        ),
        "_trusted_files": ("TrustedFiles",),
    },
)
