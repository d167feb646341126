"""An AWS that answers at once, or after a while: AssumeRole, GetCallerIdentity, and S3 as far as libraries read it.

It counts its calls.

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
from urllib.parse import parse_qs, unquote, urlsplit

ACCOUNTS = 500
STS = "https://sts.amazonaws.com/doc/2011-06-15/"


class Stub:
    """The settings, which requests to /control change, and the counts, which /counts tells."""

    def __init__(self) -> None:
        self.latency = 0.0
        self.lifetime = 3_600.0
        self.failing = 0.0
        self.counts: dict[str, int] = {}
        self.objects: dict[str, bytes] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = lines[0].split()
                url = urlsplit(target)
                if url.path in {"/", "/counts", "/control"}:
                    said = headers.get("x-amz-target", ""), headers.get("authorization", "")
                    status, answer = await self.answer(target, *said, body.decode())
                    writer.write(_response(status, answer.encode()))
                elif url.path.count("/") > 1:
                    writer.write(self.object(method, unquote(url.path), headers, body))
                else:
                    writer.write(_response(200, self.listed(url.path, parse_qs(url.query)).encode()))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            # It is cancelled where standard input ends while a client holds a connection.
            pass
        finally:
            writer.close()

    async def answer(self, target: str, amz_target: str, authorization: str, body: str) -> tuple[int, str]:  # noqa: PLR0911 # one for each operation
        """The status and text of one answer."""
        url = urlsplit(target)
        if url.path == "/counts":
            return 200, json.dumps(self.counts)
        if url.path == "/control":
            for name, values in parse_qs(url.query).items():
                setattr(self, name, float(values[0]))
            self.counts.clear()
            return 200, "{}"
        if amz_target.endswith(".ListAccounts"):
            return 200, json.dumps({"Accounts": list(map(_account, range(1, ACCOUNTS + 1)))})
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
            inner = (
                f"<Arn>arn:aws:iam::111111111111:user/{key}</Arn><UserId>{key}</UserId><Account>111111111111</Account>"
            )
            return 200, _wrapped(
                "GetCallerIdentityResponse", f"<GetCallerIdentityResult>{inner}</GetCallerIdentityResult>"
            )
        return 200, "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>"

    def object(self, method: str, key: str, headers: dict[str, str], body: bytes) -> bytes:
        """The answer to a request for an object, or for a part of one."""
        if method == "PUT":
            self.objects[key] = body
        whole = self.objects.get(key)
        if whole is None:
            return _response(404, b"")
        more = {"ETag": '"1"', "Accept-Ranges": "bytes", "Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT"}
        if method == "HEAD":
            return _response(200, b"", **more, **{"Content-Length": str(len(whole))})
        if "range" not in headers:
            return _response(200, whole, **more)
        first, _, last = headers["range"].removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(whole) - int(last))
        end = min(int(last) + 1 if first and last else len(whole), len(whole))
        part = {"Content-Range": f"bytes {start}-{end - 1}/{len(whole)}"}
        return _response(206, whole[start:end], **more, **part)

    def listed(self, path: str, query: dict[str, list[str]]) -> str:
        """The keys of a bucket."""
        bucket = path.rstrip("/") + "/"
        begin = bucket + query.get("prefix", [""])[0]
        after = bucket + query.get("start-after", [""])[0]
        items = "".join(
            f"<Contents><Key>{key.removeprefix(bucket)}</Key><LastModified>2022-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>1</ETag><Size>{len(content)}</Size></Contents>"
            for key, content in sorted(self.objects.items())
            if key.startswith(begin) and key > after
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>"

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


def _account(number: int) -> dict[str, str]:
    """One of an organization, as AWS had it until 9 September 2026: some libraries read `Status`."""
    account_id = f"{number:012}"
    arn = f"arn:aws:organizations::111111111111:account/o-bench/{account_id}"
    return {"Id": account_id, "Arn": arn, "Name": f"a{number}", "Email": "a@b", "Status": "ACTIVE", "State": "ACTIVE"}


def _response(status: int, body: bytes, **headers: str) -> bytes:
    sent = {
        "Date": format_datetime(datetime.now(UTC), usegmt=True),
        "Content-Type": "text/xml",
        "Content-Length": str(len(body)),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"HTTP/1.1 {status} -\r\n{lines}\r\n".encode() + body


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
