from __future__ import annotations

import json

import pytest

from tests.support.attacks import ATTACKS, seen
from tests.support.notebooks import printed
from xsession.diagnosis import Cause, Diagnosis, HopDiagnosis, HopState
from xsession.escape import for_json
from xsession.policies import allow

ROLE = "arn:aws:iam::222222222222:role/Reader"
MAYBE = Cause(kind="tags", message="no tags", hint="send tags", policy=allow("s3:GetObject"), arn=ROLE)
SURE = Cause(kind="other", message="no", hint="do", certain=True, policy=allow("s3:GetObject", resources=ROLE))
SOURCE = HopDiagnosis(hop=0, state=HopState.OK, arn="arn:aws:iam::111111111111:user/bruce")
REFUSED = HopDiagnosis(
    hop=1,
    role_arn=ROLE,
    state=HopState.REFUSED,
    code="AccessDenied",
    request_id="1-2",
    message="Not you",
    causes=[SURE, MAYBE],
    notes=["look there"],
)
LAST = HopDiagnosis(hop=2, role_arn=ROLE, state=HopState.NOT_TRIED)


def test_a_diagnosis_prints_as_a_tree() -> None:
    """With the statement to add under what is certain, and in one line under what is possible."""
    assert (
        str(Diagnosis(account="vegeta", hops=[SOURCE, REFUSED, LAST]))
        == """\
vegeta: refused at hop 1
|-- source  ok, as arn:aws:iam::111111111111:user/bruce
|-- hop 1  arn:aws:iam::222222222222:role/Reader  refused: AccessDenied (request id 1-2)
|   Not you
|   cause: no
|       do
|       {
|         "Version": "2012-10-17",
|         "Statement": [
|           {
|             "Effect": "Allow",
|             "Action": "s3:GetObject",
|             "Resource": "arn:aws:iam::222222222222:role/Reader"
|           }
|         ]
|       }
|   possible cause: no tags
|       send tags
|       {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}
|   note: look there
`-- hop 2  arn:aws:iam::222222222222:role/Reader  not tried"""
    )


def test_a_source_that_fails_is_named_so() -> None:
    """It has no number."""
    failed = HopDiagnosis(hop=0, state=HopState.REFUSED, causes=[SURE])
    diagnosis = Diagnosis(account="vegeta", hops=[failed, LAST])
    assert str(diagnosis).startswith("vegeta: refused at the source\n|-- source  refused\n")
    assert (diagnosis.failed, diagnosis.hint) == (failed, "do")


def test_a_diagnosis_is_json() -> None:
    """Policies as IAM has them."""
    diagnosis = Diagnosis(account="vegeta", hops=[SOURCE, REFUSED])
    document = json.loads(json.dumps(diagnosis.to_dict()))
    assert (document["account"], document["ok"], document["hint"]) == ("vegeta", False, "do")
    assert document["hops"][1]["causes"][1] == {
        "kind": "tags",
        "message": "no tags",
        "hint": "send tags",
        "certain": False,
        "policy": allow("s3:GetObject").to_dict(),
        "arn": ROLE,
    }


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_text_of_aws_is_escaped(text: str) -> None:
    """On a terminal, in a notebook and in JSON."""
    cause = Cause(kind="other", message=text, hint=text)
    hop = HopDiagnosis(hop=1, role_arn=text, state=HopState.REFUSED, message=text, causes=[cause], notes=[text])
    diagnosis = Diagnosis(account="vegeta", hops=[hop])
    lines = str(diagnosis).splitlines()
    assert len(lines) == 6
    assert seen(diagnosis._repr_html_()).text.splitlines() == printed(diagnosis).splitlines() == lines
    assert all(line.isprintable() for line in lines)
    assert "<" not in diagnosis._repr_html_().removeprefix("<pre").removesuffix("</pre>").partition(">")[2]
    assert json.loads(for_json(diagnosis.to_dict()))["ok"] is False
