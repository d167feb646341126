from __future__ import annotations

import boto3
from botocore.config import Config

from xsession._botocore import s3_settings


def test_settings_are_those_of_the_client() -> None:
    """As botocore resolved them."""
    session = boto3.Session(aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="s", region_name="eu-west-1")
    config = Config(s3={"addressing_style": "path", "use_accelerate_endpoint": False}, use_fips_endpoint=True)
    found = s3_settings(session.client("s3", config=config, verify="/ca.pem"))
    assert found.endpoint_url == "https://s3-fips.eu-west-1.amazonaws.com"
    assert (found.region_name, found.addressing_style, found.accelerates) == ("eu-west-1", "path", False)
    assert (found.ca_bundle, found.verifies) == ("/ca.pem", True)
    assert s3_settings(session.client("s3", verify=False)).verifies is False
