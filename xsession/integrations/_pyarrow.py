"""PyArrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._s3fs import file_system

if TYPE_CHECKING:
    from ._handed_over import DataSession


def arrow_file_system(session: DataSession) -> Any:
    """A `pyarrow.fs.FileSystem` over s3fs: PyArrow's own S3 client takes credentials that end."""
    from pyarrow.fs import FSSpecHandler, PyFileSystem  # noqa: PLC0415 # installed by an extra

    return PyFileSystem(FSSpecHandler(file_system(session, {})))
