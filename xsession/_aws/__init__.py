"""AWS's vocabulary, once: ARNs, error codes, denials, partitions, wildcards, values of conditions, times."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._arns import ACCOUNT_ID as ACCOUNT_ID
    from ._arns import MAX_ARN_CHARACTERS as MAX_ARN_CHARACTERS
    from ._arns import MIN_ARN_CHARACTERS as MIN_ARN_CHARACTERS
    from ._arns import PARTITION as PARTITION
    from ._arns import POLICY_ARN as POLICY_ARN
    from ._arns import POLICY_ARN_RULE as POLICY_ARN_RULE
    from ._arns import REGION as REGION
    from ._arns import ROLE_ARN as ROLE_ARN
    from ._arns import ROLE_ARN_RULE as ROLE_ARN_RULE
    from ._arns import Arn as Arn
    from ._arns import account_of as account_of
    from ._arns import iam_arn as iam_arn
    from ._arns import is_account_id as is_account_id
    from ._arns import is_region as is_region
    from ._arns import name_of as name_of
    from ._arns import partition_of as partition_of
    from ._condition_values import COMPARISONS as COMPARISONS
    from ._condition_values import NEGATED as NEGATED
    from ._condition_values import is_met_by_no_value as is_met_by_no_value
    from ._condition_values import number_of as number_of
    from ._condition_values import time_of as time_of
    from ._credential_variables import without_credentials as without_credentials
    from ._denials import Denial as Denial
    from ._denials import denial_sentence as denial_sentence
    from ._denials import read_denial as read_denial
    from ._error_codes import AwsCall as AwsCall
    from ._error_codes import hint_for as hint_for
    from ._error_codes import is_busy as is_busy
    from ._error_codes import is_dead_caller as is_dead_caller
    from ._error_codes import is_dead_session as is_dead_session
    from ._error_codes import is_dead_web_identity as is_dead_web_identity
    from ._error_codes import is_denied as is_denied
    from ._error_codes import is_final as is_final
    from ._error_codes import is_missing as is_missing
    from ._error_codes import is_passing_in_iam as is_passing_in_iam
    from ._error_codes import is_skewed as is_skewed
    from ._error_codes import is_throttling as is_throttling
    from ._error_codes import is_unknown_key as is_unknown_key
    from ._error_codes import is_unknown_principal as is_unknown_principal
    from ._error_codes import same_code as same_code
    from ._error_codes import wants_other_keys as wants_other_keys
    from ._oidc_claims import oidc_claims as oidc_claims
    from ._partitions import Console as Console
    from ._partitions import consoles as consoles
    from ._partitions import first_region as first_region
    from ._partitions import organizations_region as organizations_region
    from ._partitions import partition_of_region as partition_of_region
    from ._partitions import partitions as partitions
    from ._partitions import service_of as service_of
    from ._times import answered_at as answered_at
    from ._times import iso as iso
    from ._times import iso_of as iso_of
    from ._times import parse_iso as parse_iso
    from ._wildcards import as_text as as_text
    from ._wildcards import completed_arn as completed_arn
    from ._wildcards import has_wildcards as has_wildcards
    from ._wildcards import is_like as is_like
    from ._wildcards import is_literal as is_literal
    from ._wildcards import split_variables as split_variables
    from ._wildcards import variable_of as variable_of

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_arns": (
            "ACCOUNT_ID",
            "MAX_ARN_CHARACTERS",
            "MIN_ARN_CHARACTERS",
            "PARTITION",
            "POLICY_ARN",
            "POLICY_ARN_RULE",
            "REGION",
            "ROLE_ARN",
            "ROLE_ARN_RULE",
            "Arn",
            "account_of",
            "iam_arn",
            "is_account_id",
            "is_region",
            "name_of",
            "partition_of",
        ),
        "_condition_values": (
            "COMPARISONS",
            "NEGATED",
            "is_met_by_no_value",
            "number_of",
            "time_of",
        ),
        "_credential_variables": ("without_credentials",),
        "_denials": (
            "Denial",
            "denial_sentence",
            "read_denial",
        ),
        "_error_codes": (
            "AwsCall",
            "hint_for",
            "is_busy",
            "is_dead_caller",
            "is_dead_session",
            "is_dead_web_identity",
            "is_denied",
            "is_final",
            "is_missing",
            "is_passing_in_iam",
            "is_skewed",
            "is_throttling",
            "is_unknown_key",
            "is_unknown_principal",
            "same_code",
            "wants_other_keys",
        ),
        "_oidc_claims": ("oidc_claims",),
        "_partitions": (
            "Console",
            "consoles",
            "first_region",
            "organizations_region",
            "partition_of_region",
            "partitions",
            "service_of",
        ),
        "_times": (
            "answered_at",
            "iso",
            "iso_of",
            "parse_iso",
        ),
        "_wildcards": (
            "as_text",
            "completed_arn",
            "has_wildcards",
            "is_like",
            "is_literal",
            "split_variables",
            "variable_of",
        ),
    },
)
