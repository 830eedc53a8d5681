"""Values, statements, pipelines, cursors and transactions."""
import datetime
import decimal
import ipaddress
import uuid

import psycopg
from psycopg.types.json import Json, Jsonb
from psycopg.types.range import Range
from psycopg3_session import session, one, settled
from scenario import HOST, PORT, URI, check, equal, expect_reader, fails


@check('connects by URI, by keywords and with options')
def _():
    with psycopg.connect(URI) as connection:
        equal(one(connection, 'select 1'), 1)
        equal(connection.info.encoding, 'utf-8')
        equal(connection.info.transaction_status, psycopg.pq.TransactionStatus.INTRANS)
    connection = psycopg.connect(host=HOST, port=PORT, user='postgres', dbname='test', application_name='a driver', options='-c work_mem=5MB')
    equal(one(connection, "select current_setting('work_mem')"), '5MB')
    equal(one(connection, 'show application_name'), 'a driver')
    equal(connection.info.parameter_status('application_name'), 'a driver')
    connection.close()


@check('reads run where they should, unprepared, prepared and in a transaction')
def _():
    for autocommit in (True, False):
        with session(autocommit) as connection:
            for prepare in (False, True, True, None):
                expect_reader(one(connection, "select current_setting('port') where %s", (True,), prepare=prepare))


@check('values of every kind, in text and in binary')
def _():
    moment = datetime.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=datetime.timezone.utc)
    values = [None, True, 42, 2**40, 1.5, decimal.Decimal('-12345678901234567890.123456789'), 'täxt €\n\\\'"', bytes(range(256)), moment,
              datetime.date(1, 1, 1), datetime.time(1, 2, 3, 4), datetime.timedelta(days=3, seconds=7), [1, None, 3], ['a', 'b"c', '{d,e}'],
              [[1, 2], [3, 4]], uuid.uuid4(), ipaddress.ip_address('::1'), Range(1, 5)]
    for binary in (False, True):
        with session() as connection, connection.cursor(binary=binary) as cursor:
            marker = '%b' if binary else '%s'
            # What would stay text without a type.
            casts = {0: '::int', 13: '::text[]', 17: '::int4range'}
            query = 'select ' + ', '.join(marker + casts.get(n, '') for n in range(len(values)))
            for _ in range(2):
                cursor.execute(query, values, prepare=True)
                for got, expected in zip(cursor.fetchone(), values):
                    equal(got, expected)
            cursor.execute(f'select {marker}, {marker}', (Jsonb({'a': [1, None]}), Json([1, 'b'])))
            equal(cursor.fetchone(), ({'a': [1, None]}, [1, 'b']))
            cursor.execute("select 'NaN'::numeric, 'infinity'::float8, null::timestamptz, '{}'::int[], ''::bytea, 0.00::numeric(5,2)")
            row = cursor.fetchone()
            equal((row[0].is_nan(), row[1:]), (True, (float('inf'), None, [], b'', decimal.Decimal('0.00'))))


@check('named statements: reads and writes in turn, and more than the driver keeps')
def _():
    with session(True) as connection:
        connection.prepare_threshold = 0
        connection.prepared_max = 5
        for n in range(1, 41):
            equal(one(connection, f'select name, {n % 8} from items where id = %s', (n,)), f'item {n}')
            if n % 3 == 0:
                one(connection, f'insert into people (name, age) values (%s, {n % 4})', ('named',))
        settled(connection)
        equal(one(connection, "select count(*) from people where name = 'named'"), 13)
    with session() as connection:
        connection.prepare_threshold = 2
        for n in range(1, 10):
            equal(one(connection, 'select name from items where id = %s', (n,)), f'item {n}')
            one(connection, 'insert into people (name) values (%s)', (f'late {n}',))
            equal(one(connection, 'select count(*) from people where name = %s', (f'late {n}',)), 1)
        connection.rollback()


@check('insert with RETURNING and executemany with its results')
def _():
    with session() as connection, connection.cursor() as cursor:
        cursor.execute('insert into people (name, age) values (%s, %s) returning id', ('anna', 30))
        n = cursor.fetchone()[0]
        equal(one(connection, 'select age from people where id = %s', (n,)), 30)
        cursor.executemany('insert into people (name, age) values (%s, %s) returning age', [(f'many {n}', n) for n in range(100)], returning=True)
        ages = []
        while True:
            ages.append(cursor.fetchone()[0])
            if not cursor.nextset():
                break
        equal(ages, list(range(100)))
        cursor.executemany('update people set age = age + %s where name = %s', [(1, f'many {n}') for n in range(100)])
        equal(cursor.rowcount, 100)
        equal(one(connection, "select sum(age) from people where name like 'many %%'", ()), 5050)
        connection.rollback()


@check('a pipeline of reads and writes answers in order')
def _():
    for autocommit in (True, False):
        with session(autocommit) as connection:
            with connection.pipeline():
                cursors = []
                for n in range(60):
                    if n % 4 == 3:
                        cursors.append(connection.execute('insert into people (name, age) values (%s, %s) returning age', ('pipe', n)))
                    else:
                        cursors.append(connection.execute('select %s::int', (n,), prepare=n % 2 == 0))
                equal([cursor.fetchone()[0] for cursor in cursors], list(range(60)))
            connection.rollback()


@check('an error in a pipeline skips to the next sync')
def _():
    with session(True) as connection:
        def failing():
            with connection.pipeline():
                before.append(connection.execute('select 1'))
                connection.execute('select 1/0')
                connection.execute("insert into people (name) values ('skipped')")
        for _ in range(3):
            before = []
            fails('22012', failing)
            with connection.pipeline() as pipeline:
                after = connection.execute('select 4')
                pipeline.sync()
                aborted = connection.execute('select * from no_such_table')
                fails('42P01', pipeline.sync)
                last = connection.execute('select 5')
            equal((before[0].fetchone(), after.fetchone(), last.fetchone()), ((1,), (4,), (5,)))
        settled(connection)
        equal(one(connection, "select count(*) from people where name = 'skipped'"), 0)


@check('transactions in a pipeline')
def _():
    with session(True) as connection:
        with connection.pipeline() as pipeline:
            with connection.transaction():
                a = connection.execute('select count(*) from items where id <= 3')
                connection.execute("insert into people (name) values ('piped')")
                b = connection.execute("select count(*) from people where name = 'piped'")
                pipeline.sync()
                equal((a.fetchone(), b.fetchone()), ((3,), (1,)))
                try:
                    with connection.transaction():
                        connection.execute("insert into people (name) values ('not piped')")
                        connection.execute('select 1/0').fetchone()
                except psycopg.errors.DivisionByZero:
                    pass
                c = connection.execute("select count(*) from people where name like '%piped'")
                equal(c.fetchone(), (1,))
        settled(connection)
        equal(one(connection, "select count(*) from people where name like '%piped'"), 1)


@check('server-side cursors: portions, scroll, WITH HOLD, binary')
def _():
    with session() as connection:
        for binary in (False, True):
            with connection.cursor('portions', binary=binary) as cursor:
                cursor.itersize = 30
                cursor.execute('select id from items where id <= %s order by id', (100,))
                equal([row[0] for row in cursor], list(range(1, 101)))
        with connection.cursor('scrolls', scrollable=True) as cursor:
            cursor.execute('select id from items where id <= 100 order by id')
            equal(cursor.fetchmany(3), [(1,), (2,), (3,)])
            cursor.scroll(-2)
            equal(cursor.fetchone(), (2,))
            cursor.scroll(90, mode='absolute')
            equal(cursor.fetchone(), (91,))
        cursor = connection.cursor('held', withhold=True)
        cursor.execute('select id from items where id <= 50 order by id')
        equal(cursor.fetchmany(2), [(1,), (2,)])
        connection.commit()
        equal(one(connection, 'select count(*) from items where id <= 50'), 50)
        connection.commit()
        equal(cursor.fetchmany(2), [(3,), (4,)])
        cursor.close()
        connection.commit()


@check('rows are streamed one by one')
def _():
    with session() as connection, connection.cursor() as cursor:
        equal(sum(row[0] for row in cursor.stream('select n from generate_series(1, %s) n', (20000,))), 200010000)
        equal(sum(row[0] for row in cursor.stream('select id from items where id <= 100')), 5050)


@check('transaction blocks: nested, rolled back, with names')
def _():
    with session(True) as connection:
        with connection.transaction():
            one(connection, "insert into people (name) values ('outer')")
            try:
                with connection.transaction('inner'):
                    one(connection, "insert into people (name) values ('inner')")
                    equal(one(connection, "select count(*) from people where name in ('outer', 'inner')"), 2)
                    raise ValueError
            except ValueError:
                pass
            with connection.transaction(force_rollback=True):
                one(connection, "insert into people (name) values ('forced')")
            with connection.transaction():
                one(connection, "insert into people (name) values ('inner 2')")
            equal(one(connection, "select string_agg(name, ',' order by name) from people where name ~ '^(outer|inner|forced)'"), 'inner 2,outer')
        settled(connection)
        equal(one(connection, "select count(*) from people where name ~ '^(outer|inner|forced)'"), 2)


@check('an error ends the transaction, rollback recovers it')
def _():
    with session() as connection:
        equal(one(connection, 'select count(*) from items where id <= 3'), 3)
        fails('22012', one, connection, 'select 1 / %s::int', (0,))
        fails('25P02', one, connection, 'select 1')
        equal(connection.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
        connection.rollback()
        equal(connection.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)
        error = fails('23505', one, connection, 'insert into items values (%s, %s)', (1, 'twice'))
        equal((error.diag.constraint_name, error.diag.table_name), ('items_pkey', 'items'))
        connection.rollback()
        fails('22P02', one, connection, 'select %s::int', ('x',))
        connection.rollback()


@check('a transaction sees its own writes, others see them after the commit')
def _():
    with session() as writer, session(True) as reader:
        n = one(writer, 'select count(*) from people', prepare=True)
        one(writer, "insert into people (name) values ('own')")
        equal(one(writer, 'select count(*) from people', prepare=True), n + 1)
        equal(one(reader, "select count(*) from people where name = 'own'"), 0)
        writer.commit()
        settled(reader)
        equal(one(reader, "select count(*) from people where name = 'own'"), 1)


@check('isolation levels, read only and deferrable')
def _():
    for level, name in ((psycopg.IsolationLevel.READ_COMMITTED, 'read committed'), (psycopg.IsolationLevel.REPEATABLE_READ, 'repeatable read'),
                        (psycopg.IsolationLevel.SERIALIZABLE, 'serializable')):
        with session() as connection:
            connection.isolation_level = level
            equal(one(connection, 'show transaction_isolation'), name)
            equal(one(connection, 'select count(*) from items where id <= 3'), 3)
            connection.rollback()
    with session() as connection:
        connection.read_only = True
        equal(one(connection, 'select count(*) from items where id <= 3'), 3)
        equal(one(connection, 'show transaction_read_only'), 'on')
        fails('25006', one, connection, "insert into people (name) values ('not')")
        connection.rollback()
        connection.read_only = False
        one(connection, "insert into people (name) values ('yes')")
        connection.rollback()
        connection.isolation_level, connection.read_only, connection.deferrable = psycopg.IsolationLevel.SERIALIZABLE, True, True
        equal(one(connection, 'select count(*) from items where id <= 3'), 3)
