"""Sessions in pipeline mode, and the table that the checks use."""
from contextlib import contextmanager

from libpq import Connection
from scenario import SCHEMA, URI, equal, settle


@contextmanager
def session(pipeline=True):
    with Connection(f'{URI}?options=-csearch_path%3D{SCHEMA},public') as connection:
        if pipeline:
            connection.enter_pipeline()
        yield connection


def ask(connection, sql):
    """One statement with its own sync; the first column of the first row."""
    connection.send(sql)
    connection.sync()
    [result], _ = connection.all(2)
    if result.status == 'ERROR':
        raise RuntimeError(result.sqlstate)
    return int(result.rows[0][0]) if result.rows else None


def settled(connection):
    settle(lambda sql: ask(connection, sql))


with session(False) as first:
    equal(first.run('create table people (id serial primary key, name text not null, age int)').short, 'CREATE TABLE')
    first.enter_pipeline()
    settled(first)
