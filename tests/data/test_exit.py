"""How a program ends that holds what it was given."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.data_jobs import DataWorld
from tests.support.programs import run_python

PROGRAM = """
import duckdb
from xsession import CrossAccountSession

xs = CrossAccountSession({"vegeta": "{role}"})
d = xs["vegeta"].data
fs, arrow, connection = d.s3fs(), d.pyarrow(), d.duckdb(duckdb.connect())
file = fs.open("vegeta/scouter.csv")
stream = arrow.open_input_stream("vegeta/scouter.csv")
rows = connection.sql("select * from read_csv('s3://vegeta/scouter.csv')")
print(file.read(4), stream.read(4), len(rows.fetchall()))
"""


def test_a_program_ends_while_it_holds_files(made: DataWorld) -> None:
    """Neither hangs nor crashes in the interpreter's last moments: 20 of 20."""
    for library in ("duckdb", "pyarrow", "s3fs"):
        pytest.importorskip(library)
    made.aws.set_lifetime(None)
    program = PROGRAM.replace("{role}", made.roles["vegeta"])
    with ThreadPoolExecutor(2) as pool:
        printed = list(pool.map(lambda _: run_python(program), range(20)))
    assert printed == ["b'name' b'name' 2\n"] * 20
