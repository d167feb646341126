"""An AWS that answers at once, or after a while: AssumeRole, GetCallerIdentity and ListBuckets; it counts its calls.

Run as a process of its own, so that its work is not the measured process's: `python -m bench.stub [PEM]`, over TLS
where it is given a file with a certificate and its key. It prints its port, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

STS = "https://sts.amazonaws.com/doc/2011-06-15/"


class Stub:
    """The settings, which requests to /control change, and the counts, which /counts tells."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.lifetime = 3_600.0
        self.failing = 0.0
        self.counts: dict[str, int] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
                body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
                status, answer = await self.answer(lines[0].split()[1], headers.get("authorization", ""), body)
                date = format_datetime(datetime.now(UTC), usegmt=True)
                writer.write(
                    f"HTTP/1.1 {status} -\r\nDate: {date}\r\nContent-Type: text/xml\r\n"
                    f"Content-Length: {len(answer)}\r\n\r\n{answer}".encode()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, target: str, authorization: str, body: str) -> tuple[int, str]:
        """The status and text of one answer."""
        url = urlsplit(target)
        if url.path == "/counts":
            return 200, json.dumps(self.counts)
        if url.path == "/control":
            for name, values in parse_qs(url.query).items():
                setattr(self, name, float(values[0]))
            self.counts.clear()
            return 200, "{}"
        form = {name: values[0] for name, values in parse_qs(body).items()}
        operation = form.get("Action", "ListBuckets")
        self.counts[operation] = self.counts.get(operation, 0) + 1
        if self.latency:
            await asyncio.sleep(self.latency)
        if operation == "AssumeRole":
            if self.failing:
                return 500, _wrapped(
                    "ErrorResponse", "<Error><Code>InternalFailure</Code><Message>no</Message></Error>"
                )
            return 200, self.assumed(form["RoleArn"], form["RoleSessionName"])
        if operation == "GetCallerIdentity":
            key = authorization.partition("Credential=")[2].partition("/")[0]
            inner = f"<Arn>{key}</Arn><UserId>{key}</UserId><Account>111111111111</Account>"
            return 200, _wrapped(
                "GetCallerIdentityResponse", f"<GetCallerIdentityResult>{inner}</GetCallerIdentityResult>"
            )
        return 200, "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>"

    def assumed(self, role_arn: str, name: str) -> str:
        """AssumeRole's answer."""
        account_id, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        ends = (datetime.now(UTC) + timedelta(seconds=self.lifetime)).strftime("%Y-%m-%dT%H:%M:%SZ")
        arn = f"arn:aws:sts::{account_id}:assumed-role/{role}/{name}"
        return _wrapped(
            "AssumeRoleResponse",
            f"<AssumeRoleResult><Credentials><AccessKeyId>ASIA{account_id}{self.counts['AssumeRole']}</AccessKeyId>"
            f"<SecretAccessKey>secret</SecretAccessKey><SessionToken>{'t' * 400}</SessionToken>"
            f"<Expiration>{ends}</Expiration></Credentials><AssumedRoleUser><Arn>{arn}</Arn>"
            f"<AssumedRoleId>AROA:{name}</AssumedRoleId></AssumedRoleUser></AssumeRoleResult>",
        )


def _wrapped(name: str, inner: str) -> str:
    return f'<{name} xmlns="{STS}">{inner}<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{name}>'


async def main() -> None:
    """Serves until standard input ends."""
    context = None
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
    server = await asyncio.start_server(Stub().serve, "127.0.0.1", 0, backlog=1_024, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
