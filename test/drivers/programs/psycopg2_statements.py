"""Values, statements, cursors and transactions."""
import datetime
import decimal
import uuid

import psycopg2
import psycopg2.extensions
import psycopg2.extras
from psycopg2_session import session, one, settled
from scenario import HOST, PORT, SCHEMA, URI, check, equal, expect_reader, fails


@check('connects by URI, by keywords and with options')
def _():
    with psycopg2.connect(URI) as connection:
        equal(one(connection, 'select 1'), 1)
        equal(connection.server_version // 10000 >= 14, True)
        equal(connection.get_parameter_status('standard_conforming_strings'), 'on')
        equal(connection.protocol_version, 3)
    connection.close()
    connection = psycopg2.connect(host=HOST, port=PORT, user='postgres', dbname='test', application_name='a driver', options='-c statement_timeout=12345 -c work_mem=5MB')
    equal(one(connection, 'show statement_timeout'), '12345ms')
    equal(one(connection, "select current_setting('work_mem')"), '5MB')
    equal(one(connection, "select current_setting('application_name')"), 'a driver')
    connection.close()


@check('a wrong database is refused as by the server')
def _():
    try:
        psycopg2.connect(host=HOST, port=PORT, user='postgres', dbname='no_such_database')
    except psycopg2.OperationalError as error:
        equal('database "no_such_database" does not exist' in str(error), True)
    else:
        raise AssertionError('let in')


@check('reads run where they should, in and out of a transaction')
def _():
    with session(True) as connection:
        expect_reader(one(connection, "select current_setting('port')"))
    with session() as connection:
        expect_reader(one(connection, "select current_setting('port')"))
        expect_reader(one(connection, "select current_setting('port') from people right join (select 1) x on true limit 1"))
        connection.commit()


@check('values of every kind')
def _():
    moment = datetime.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=datetime.timezone.utc)
    identity = uuid.uuid4()
    values = [None, True, 42, 2**40, 1.5, decimal.Decimal('12345678901234567890.123456789'), 'täxt €\n\\\'"', moment,
              datetime.date(1, 1, 1), datetime.timedelta(days=3, seconds=7), [1, None, 3], ['a', 'b"c', '{d,e}'], [[1, 2], [3, 4]], identity]
    with session() as connection, connection.cursor() as cursor:
        cursor.execute('select %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s', values)
        equal(list(cursor.fetchone()), values)
        cursor.execute('select %s::bytea, %s::jsonb, %s::json', (bytes(range(256)), psycopg2.extras.Json({'a': [1, None]}), '[1, {"b": "c"}]'))
        binary, jsonb, plain = cursor.fetchone()
        equal((bytes(binary), jsonb, plain), (bytes(range(256)), {'a': [1, None]}, [1, {'b': 'c'}]))


@check('insert with RETURNING, update, delete and their counts')
def _():
    with session() as connection, connection.cursor() as cursor:
        cursor.execute('insert into people (name, age) values (%s, %s), (%s, %s) returning id', ('anna', 30, 'bert', 40))
        ids = [row[0] for row in cursor.fetchall()]
        equal(len(set(ids)), 2)
        cursor.execute('select name from people where id in %s order by id', (tuple(ids),))
        equal(cursor.fetchall(), [('anna',), ('bert',)])
        cursor.execute('update people set age = age + 1 where id = any(%s)', (ids,))
        equal((cursor.rowcount, cursor.statusmessage), (2, 'UPDATE 2'))
        cursor.execute('delete from people where id = any(%s) returning age', (ids,))
        equal(sorted(cursor.fetchall()), [(31,), (41,)])
        connection.commit()


@check('executemany, execute_batch and execute_values')
def _():
    with session() as connection, connection.cursor() as cursor:
        cursor.executemany('insert into people (name, age) values (%s, %s)', [(f'many {n}', n) for n in range(20)])
        psycopg2.extras.execute_batch(cursor, 'insert into people (name, age) values (%s, %s)', [(f'batch {n}', n) for n in range(250)], page_size=100)
        ids = psycopg2.extras.execute_values(cursor, 'insert into people (name, age) values %s returning id', [(f'values {n}', n) for n in range(250)], fetch=True)
        equal(len(ids), 250)
        cursor.execute("select count(*) from people where name ~ '^(many|batch|values) '")
        equal(cursor.fetchone()[0], 520)
        connection.rollback()


@check('statements prepared by SQL, mixed with reads and in a transaction')
def _():
    for autocommit in (True, False):
        with session(autocommit) as connection:
            one(connection, 'prepare by_id (int) as select name from items where id = $1')
            for n in (1, 2, 3):
                equal(one(connection, 'execute by_id (%s)', (n,)), f'item {n}')
                equal(one(connection, 'select 1'), 1)
            one(connection, 'deallocate by_id')
            fails('26000', one, connection, 'execute by_id (1)')


@check('a named cursor fetches in portions')
def _():
    with session() as connection:
        with connection.cursor('portions') as cursor:
            cursor.itersize = 30
            cursor.execute('select id from items where id <= 100 order by id')
            equal([row[0] for row in cursor], list(range(1, 101)))
        with connection.cursor('two') as a, connection.cursor('more') as b:
            a.execute('select id from items where id <= 10 order by id')
            b.execute('select id from items where id <= 10 order by id desc')
            equal([(a.fetchone()[0], b.fetchone()[0]) for _ in range(10)], [(n, 11 - n) for n in range(1, 11)])
        connection.commit()


@check('a scrollable cursor goes back and forth')
def _():
    with session() as connection:
        with connection.cursor('scrolls', scrollable=True) as cursor:
            cursor.execute('select id from items where id <= 100 order by id')
            equal(cursor.fetchmany(3), [(1,), (2,), (3,)])
            cursor.scroll(-2)
            equal(cursor.fetchone(), (2,))
            cursor.scroll(90, mode='absolute')
            equal(cursor.fetchone(), (91,))


@check('a cursor WITH HOLD outlives its transaction')
def _():
    with session() as connection:
        cursor = connection.cursor('held', withhold=True)
        cursor.execute('select id from items where id <= 50 order by id')
        equal(cursor.fetchmany(2), [(1,), (2,)])
        connection.commit()
        equal(one(connection, 'select count(*) from items where id <= 50'), 50)
        connection.commit()
        equal(cursor.fetchmany(2), [(3,), (4,)])
        cursor.close()
        connection.commit()


@check('a transaction sees its own writes, others see them after the commit')
def _():
    with session() as writer, session(True) as reader:
        n = one(writer, 'select count(*) from people')
        one(writer, "insert into people (name) values ('own')")
        equal(one(writer, 'select count(*) from people'), n + 1)
        equal(one(reader, "select count(*) from people where name = 'own'"), 0)
        writer.commit()
        settled(reader)
        equal(one(reader, "select count(*) from people where name = 'own'"), 1)


@check('an error ends the transaction, rollback recovers it')
def _():
    with session() as connection:
        equal(one(connection, 'select count(*) from items where id <= 3'), 3)
        fails('22012', one, connection, 'select 1/0')
        fails('25P02', one, connection, 'select 1')
        equal(connection.get_transaction_status(), psycopg2.extensions.TRANSACTION_STATUS_INERROR)
        connection.rollback()
        equal(connection.get_transaction_status(), psycopg2.extensions.TRANSACTION_STATUS_IDLE)
        error = fails('23505', one, connection, "insert into items values (1, 'twice')")
        equal((error.diag.constraint_name, error.diag.table_name, error.diag.severity), ('items_pkey', 'items', 'ERROR'))
        connection.rollback()
        error = fails('42703', one, connection, 'select name, nix from items')
        equal(error.diag.statement_position, '14')


@check('savepoints, nested and released')
def _():
    with session() as connection:
        one(connection, "insert into people (name) values ('kept')")
        one(connection, 'savepoint a')
        one(connection, "insert into people (name) values ('dropped')")
        one(connection, 'savepoint b')
        fails('42P01', one, connection, 'select * from no_such_table')
        one(connection, 'rollback to b')
        equal(one(connection, "select count(*) from people where name = 'dropped'"), 1)
        one(connection, 'rollback to a')
        equal(one(connection, "select count(*) from people where name = 'dropped'"), 0)
        one(connection, 'release a')
        connection.commit()
        settled(connection)
        equal(one(connection, "select count(*) from people where name in ('kept', 'dropped')"), 1)


@check('isolation levels, read only and deferrable sessions')
def _():
    for level, name in ((1, 'read committed'), (2, 'repeatable read'), (3, 'serializable')):
        with session() as connection:
            connection.set_session(isolation_level=level)
            equal(one(connection, 'show transaction_isolation'), name)
            equal(one(connection, 'select count(*) from items where id <= 3'), 3)
            equal(one(connection, "select current_setting('transaction_isolation')"), name)
            connection.rollback()
    for autocommit in (False, True):
        with session() as connection:
            connection.set_session(readonly=True, autocommit=autocommit)
            equal(one(connection, 'show transaction_read_only'), 'on')
            equal(one(connection, 'select count(*) from items where id <= 3'), 3)
            fails('25006', one, connection, "insert into people (name) values ('not')")
            connection.rollback()
            connection.set_session(readonly=False)
            one(connection, "insert into people (name) values ('yes')")
            connection.rollback()
    with session() as connection:
        connection.set_session(isolation_level='SERIALIZABLE', readonly=True, deferrable=True)
        equal(one(connection, 'select count(*) from items where id <= 3'), 3)


@check('REPEATABLE READ keeps its snapshot')
def _():
    with session() as reader, session(True) as writer:
        reader.set_session(isolation_level='REPEATABLE READ')
        n = one(reader, 'select count(*) from people')
        one(writer, "insert into people (name) values ('later')")
        settled(writer)
        equal(one(reader, 'select count(*) from people'), n)
        reader.commit()


@check('two-phase commit')
def _():
    with session() as connection:
        # The servers of the tests allow no prepared transactions.
        allowed = int(one(connection, 'show max_prepared_transactions')) > 0
        connection.commit()
        connection.tpc_begin(connection.xid(1, SCHEMA, 'branch'))
        one(connection, "insert into people (name) values ('two-phase')")
        if allowed:
            connection.tpc_prepare()
        else:
            fails('55000', connection.tpc_prepare)
        connection.tpc_rollback()
        equal(one(connection, "select count(*) from people where name = 'two-phase'"), 0)
