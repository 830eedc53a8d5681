"""Sessions of psycopg 3, and the table that the checks use."""
from contextlib import contextmanager

import psycopg
from scenario import SCHEMA, URI, settle


@contextmanager
def session(autocommit=False, **more):
    connection = psycopg.connect(URI, autocommit=autocommit, options=f'-c search_path={SCHEMA},public', **more)
    try:
        yield connection
    finally:
        connection.close()


def one(connection, query, values=None, **more):
    cursor = connection.execute(query, values, **more)
    return cursor.fetchone()[0] if cursor.description else None


def settled(connection):
    connection.rollback()
    before = connection.autocommit
    connection.autocommit = True
    settle(lambda query: one(connection, query))
    connection.autocommit = before


with session(True) as first:
    one(first, 'create table people (id int generated always as identity primary key, name text not null, age int)')
    settled(first)
