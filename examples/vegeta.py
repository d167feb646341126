"""Prints an object of Vegeta's bucket: the accounts are in the xsession.toml beside this file."""

from pathlib import Path

from xsession import CrossAccountSession


def main() -> None:
    """Reads the object over both ways that the file knows."""
    with CrossAccountSession.from_config(Path(__file__).with_name("xsession.toml")) as xs:
        for account in xs.accounts:
            s3 = xs.get_client("s3", account=account)
            body = s3.get_object(Bucket="vegeta-power-levels", Key="scouter.csv")["Body"].read()
            print(f"{account}: {body.decode().splitlines()[1]}")


if __name__ == "__main__":
    main()
