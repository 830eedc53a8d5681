"""Sessions of psycopg 2, and the table that the checks use."""
from contextlib import contextmanager

import psycopg2
import psycopg2.extras
from scenario import SCHEMA, URI, settle


psycopg2.extras.register_uuid()


@contextmanager
def session(autocommit=False, **more):
    connection = psycopg2.connect(URI, **more)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'set search_path to {SCHEMA}, public')
    connection.autocommit = autocommit
    try:
        yield connection
    finally:
        connection.close()


def one(connection, sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0] if cursor.description else None


def settled(connection):
    connection.rollback()
    before = connection.autocommit
    connection.autocommit = True
    settle(lambda sql: one(connection, sql))
    connection.autocommit = before


with session(True) as first:
    one(first, 'create table people (id serial primary key, name text not null, age int, about jsonb)')
    settled(first)
