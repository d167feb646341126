"""Files of accounts that are wrong, each in a way of its own, and what is said of them."""

from __future__ import annotations

VEGETA = "arn:aws:iam::222222222222:role/R"
HUB = "arn:aws:iam::333333333333:role/Hub"
NAMES = "a letter or digit, then up to 127 letters, digits, dots, underscores and hyphens"


def account(text: str) -> str:
    """A file with one account."""
    return f"[accounts.a]\n{text}"


# A file, and its message after the file's name.
TOML = [
    ("[accounts", " is not valid TOML: Expected ']' at the end of a table declaration"),
    ("[accounts.a]\n[accounts.a]", " is not valid TOML: Cannot declare"),
    ("[acounts.a]", ":1: acounts: unknown key; did you mean accounts?"),
    ("accounts = 5", ":1: accounts: a table is needed here, not 5"),
    ("[accounts]\na = 5", ":2: accounts.a: a table is needed here, not 5"),
    ("[defaults]\nduration = 900", ":2: defaults.duration: unknown key; did you mean duration_seconds?"),
    ('[defaults]\nexternal_id = "w"', ":2: defaults.external_id: unknown key; keys here: duration_seconds"),
    ("[defaults]\nduration_seconds = 1", ":1: defaults: duration_seconds 1 is not valid: 900 to 43200 whole seconds"),
    ('[defaults]\ntags = { a = "b" }', ":2: defaults.tags: unknown key; keys here: duration_seconds"),
    ("[defaults]\nrole_name = 5", ":2: defaults.role_name: a string is needed here, not 5"),
    ('[defaults]\nrole_name = "a b"', ":1: defaults: role_arn 'arn:aws:iam::000000000000:role/a b' is not valid: arn:"),
    ('[defaults]\npartition = ""', ":2: defaults.partition: a string is needed here, not ''"),
    (
        '[defaults]\nregion_name = "Europe"',
        ":1: defaults: region_name 'Europe' is not valid: an AWS region such as",
    ),
    ("defaults = []", ":1: defaults: a table is needed here, not []"),
    (account("zzz = 1"), ":2: accounts.a.zzz: unknown key; keys here: account_id, chain, duration_seconds"),
    (account(f'role_arm = "{VEGETA}"'), ":2: accounts.a.role_arm: unknown key; did you mean role_arn?"),
    (account(""), ":1: accounts.a: nothing says how the account is reached; give role_arn, or account_id with"),
    (account('account_id = "222222222222"'), ":1: accounts.a: nothing says how the account is reached; give role_arn"),
    (account("source = 5"), ":2: accounts.a.source: the name of a profile is needed here"),
    (account('source = ""'), ":2: accounts.a.source: the name of a profile is needed here"),
    (account(f'chain = ["{HUB}"]\nexternal_id = "w"'), ":1: accounts.a: external_id can't stand beside chain; put it"),
    (account("chain = []"), ":2: accounts.a.chain: a list of roles is needed here: ARNs, or tables with role_arn"),
    (account(f'chain = "{HUB}"'), ":2: accounts.a.chain: a list of roles is needed here: ARNs, or tables"),
    (account("chain = [5]"), ":2: accounts.a.chain[0]: a table is needed here, not 5"),
    (account("chain = [{}]"), ":2: accounts.a.chain[0]: a role is needed here; give role_arn, or account_id with"),
    (account('chain = [{ role_arm = "x" }]'), ":2: accounts.a.chain[0].role_arm: unknown key; did you mean role_arn?"),
    (account(f'chain = ["{HUB}", "arn:aws-cn:iam::222222222222:role/R"]'), ":1: accounts.a: a chain can't leave its"),
    (account('role_name = "R"'), ":1: accounts.a: a role is needed here; give role_arn, or account_id with role_name"),
    (account('account_id = 222222222222\nrole_name = "R"'), "account_id, role_name and partition are strings; put"),
    (account(f'role_arn = "{VEGETA}"\nrole_name = "R"'), ":1: accounts.a: role_arn says it all; role_name can't stand"),
    (
        account(f'role_arn = "{VEGETA}"\nexternal_id = "x"'),
        ":1: accounts.a: external_id (not shown) is not valid: 2 to",
    ),
    (account(f'role_arn = "{VEGETA}"\naccount_id = "333333333333"'), "account_id 333333333333 is not the account of"),
    (account(f'role_arn = "{VEGETA}"\naccount_id = 222222222222'), "12 digits, as a string: a number would lose lead"),
    (
        account(f'role_arn = "{VEGETA}"\nregion_name = "Europe"'),
        "region_name 'Europe' is not valid: an AWS region such",
    ),
    (account(f'role_arn = "{VEGETA}"\ntags = {{ env = 1 }}'), "tags {'env': 1} is not valid: a mapping of strings"),
    (account(f'role_arn = "{VEGETA}"\ntags = "prod"'), "tags 'prod' is not valid: a mapping of strings to strings"),
    (account("role_arn = 5"), ":1: accounts.a: role_arn 5 is not valid: arn:<partition>:iam::<12-digit account id>"),
    (f'[accounts."a b"]\nrole_arn = "{VEGETA}"', f":1: accounts.a b: account name 'a b' is not valid: {NAMES}"),
    (
        account(f'via = "main"\nrole_arn = "{VEGETA}"'),
        ":2: accounts.a.via: 'main' is not the name of a hub; hubs here:",
    ),
    (account(f'via = 5\nrole_arn = "{VEGETA}"'), ":2: accounts.a.via: 5 is not the name of a hub; hubs here: none"),
    (f'[hubs.h]\nrole_arn = "{HUB}"\n[accounts.a]\nvia = "h"', ":3: accounts.a: nothing says which role comes after"),
    ("[hubs.h]", ":1: hubs.h: a hub is a role; give role_arn, or account_id with role_name, or chain"),
    ('[hubs.h]\nregion_name = "eu-west-1"', ":2: hubs.h.region_name: unknown key; did you mean sts_region_name?"),
    (
        f'[hubs.a]\nvia = "b"\nrole_arn = "{HUB}"\n[hubs.b]\nvia = "a"\nrole_arn = "{HUB}"',
        ":1: hubs.a: hubs lead to each other: a -> b -> a",
    ),
    (
        f'[hubs.h]\nrole_arn = "{HUB}"\nsource = "p"\n[accounts.a]\nvia = "h"\nrole_arn = "{VEGETA}"\nsource = "q"',
        ":7: accounts.a.source: the hub 'h' has a source already; remove one of the two",
    ),
    (
        f'[hubs.h]\nrole_arn = "{HUB}"\n[accounts.a]\nvia = "h"\nrole_arn = "{VEGETA}"\nmfa_serial = "GAHT12345678"',
        ":3: accounts.a: mfa_serial is for the first hop: a role's credentials can't pass an MFA code on; put mfa",
    ),
    ("include = 5", ":1: include: a list of files is needed here, as strings; * stands for any part of a name"),
    ('include = [""]', ":1: include: a list of files is needed here, as strings"),
    ('include = "gone.toml"', "gone.toml can't be read: No such file or directory"),
    ("a = " + "[" * 100_000, " nests values more than 32 deep, in line 1"),
    ("\na" + ".a" * 10_000 + " = 1", " has a key of more than 32 parts, in line 2"),
    ("#" * 2_097_153, " has more than 2097152 bytes, and is not read"),
    ("a = 1" + "0" * 5_000, " is not valid TOML: Exceeds the limit (4300 digits)"),
    ("a = 0x" + "f" * 5_000, " has a number of more than 64 bits"),
    ("a" * 1_025 + " = 1", " has a key of more than 1024 characters"),
    (account(f'role_arn = "{VEGETA}"\nmfa_serial = "--config=evil"'), "first a letter or digit"),
    ('include = "a\\u0000"', ":1: include: a list of files is needed here, as strings"),
]
