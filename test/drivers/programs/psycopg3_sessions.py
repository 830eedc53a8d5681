"""COPY, notifications, cancel, settings, statements that fit no more, asyncio."""
import asyncio
import threading
import time

import psycopg
from psycopg import sql as compose
from psycopg.rows import dict_row, tuple_row
from psycopg3_session import session, one, settled
from scenario import READS, SCHEMA, URI, check, equal, expect_reader, fails


@check('COPY in and out, in text and in binary, by rows and by blocks')
def _():
    rows = [(n, f'name {n}\t\\', None if n % 3 else n) for n in range(5000)]
    with session() as connection, connection.cursor() as cursor:
        one(connection, 'create temp table copied (n int8, name text, age int4)')
        for options in ('', '(format binary)'):
            with cursor.copy(f'copy copied from stdin {options}') as copy:
                copy.set_types(['int8', 'text', 'int4'])
                for row in rows:
                    copy.write_row(row)
            equal(cursor.rowcount, 5000)
            with cursor.copy(f'copy (select * from copied order by n) to stdout {options}') as copy:
                copy.set_types(['int8', 'text', 'int4'])
                equal(list(copy.rows()), rows)
            one(connection, 'truncate copied')
        try:
            with cursor.copy('copy copied from stdin') as copy:
                copy.write('1\tx\t1\n')
                raise ValueError
        except (ValueError, psycopg.errors.QueryCanceled):
            pass
        equal(connection.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
        connection.rollback()
        with cursor.copy('copy (select id from items where id <= 3 order by id) to stdout') as copy:
            equal(b''.join(bytes(block) for block in copy), b'1\n2\n3\n')


@check('notices arrive')
def _():
    with session(True) as connection:
        heard = []
        connection.add_notice_handler(lambda notice: heard.append((notice.severity, notice.message_primary)))
        one(connection, "do $$ begin raise notice 'first'; raise warning 'second'; end $$")
        equal(heard, [('NOTICE', 'first'), ('WARNING', 'second')])


@check('LISTEN and NOTIFY between sessions')
def _():
    with session(True) as listener, session() as sender:
        channel = f'from_{SCHEMA}'
        one(listener, f'listen {channel}')
        heard = []
        listener.add_notify_handler(lambda note: heard.append(note.payload))
        one(sender, f"notify {channel}, 'one'")
        one(sender, 'select pg_notify(%s, %s)', (channel, 'zwei'))
        equal(one(listener, 'select 1'), 1)
        equal(heard, [])
        sender.commit()
        for _ in range(500):
            one(listener, 'select 1')
            if len(heard) == 2:
                break
            time.sleep(0.02)
        equal(heard, ['one', 'zwei'])


@check('cancel and statement_timeout')
def _():
    for query in ('select pg_sleep(60)', 'select count(*) from generate_series(1, 1000000000000)'):
        with session(True) as connection:
            timer = threading.Timer(0.3, connection.cancel)
            timer.start()
            fails('57014', lambda: one(connection, query, prepare=True))
            timer.join()
            equal(one(connection, 'select 1'), 1)
    with session(True) as connection:
        one(connection, "set statement_timeout to '100ms'")
        fails('57014', one, connection, 'select pg_sleep(60)')
        fails('57014', one, connection, 'select count(*) from generate_series(1, %s)', (10**12,))
        equal(one(connection, 'select 1'), 1)


@check('SET and set_config hold for the reads that follow')
def _():
    with session(True) as connection:
        one(connection, 'set timezone to "Asia/Tokyo"')
        equal(one(connection, "select '2024-01-01 00:00+00'::timestamptz::text"), '2024-01-01 09:00:00+09')
        equal(connection.info.timezone.key, 'Asia/Tokyo')
        one(connection, "select set_config('datestyle', %s, false)", ('German',))
        equal(one(connection, "select '2024-12-31'::date::text"), '31.12.2024')
        connection.execute("set client_encoding to 'LATIN1'")
        equal(one(connection, "select 'ä' || %s", ('ü',)), 'äü')
        connection.execute('reset timezone')
        equal(one(connection, "select current_setting('timezone')") == 'Asia/Tokyo', False)
    with session() as connection:
        one(connection, 'set extra_float_digits to 0')
        one(connection, "set local timezone to 'UTC'")
        equal(one(connection, "select '2024-01-01 00:00+00'::timestamptz::text"), '2024-01-01 00:00:00+00')
        connection.rollback()
        equal(one(connection, 'show extra_float_digits'), '1')
    with session(True) as connection:
        one(connection, 'set role pg_monitor')
        equal(one(connection, 'select current_user'), 'pg_monitor')
        fails('42501', one, connection, 'select * from items')
        one(connection, 'reset role')
        equal(one(connection, 'select count(*) from items where id = 1'), 1)


@check('temporary tables')
def _():
    with session() as connection:
        one(connection, 'create temp table scratch as select n from generate_series(1, 5) n')
        equal(one(connection, 'select sum(n) from scratch', prepare=True), 15)
        connection.commit()
        equal(one(connection, 'select sum(n) from scratch', prepare=True), 15)
        one(connection, 'create temp table items (id int, name text)')
        equal(one(connection, 'select count(*) from items'), 0)
        one(connection, 'drop table items')
        equal(one(connection, 'select count(*) from public.items where id <= 3'), 3)
    with session(True) as connection:
        fails('42P01', one, connection, 'select count(*) from scratch')


@check('DISCARD ALL, and the driver prepares anew')
def _():
    with session(True) as connection:
        connection.prepare_threshold = 0
        equal(one(connection, 'select name from items where id = %s', (1,)), 'item 1')
        one(connection, 'set timezone to "Asia/Tokyo"')
        # The driver notices DROP and forgets what it has prepared, by DEALLOCATE ALL.
        one(connection, 'drop table if exists no_such_table')
        equal(one(connection, 'select name from items where id = %s', (2,)), 'item 2')
        one(connection, 'discard all', prepare=False)
        equal(one(connection, "select current_setting('timezone')", prepare=False) == 'Asia/Tokyo', False)
        expect_reader(one(connection, "select current_setting('port')", prepare=False))


@check('a table is altered under a prepared statement')
def _():
    with session(True) as connection, session(True) as other:
        one(connection, 'create table altered (a int)')
        one(connection, 'insert into altered values (1)')
        settled(connection)
        for _ in range(3):
            equal(connection.execute('select * from altered', prepare=True).fetchall(), [(1,)])
        one(other, 'alter table altered add column b int')
        settled(connection)
        fails('0A000', lambda: connection.execute('select * from altered', prepare=True).fetchall())
        connection.execute('drop table if exists no_such_table')
        equal(connection.execute('select * from altered', prepare=True).fetchall(), [(1, None)])


@check('a table is dropped under a prepared statement and made again')
def _():
    with session(True) as connection, session(True) as other:
        one(connection, 'create table passing (a int)')
        settled(connection)
        equal(one(connection, 'select count(*) from passing', prepare=True), 0)
        one(other, 'drop table passing')
        settled(connection)
        fails('42P01', lambda: one(connection, 'select count(*) from passing', prepare=True))
        one(other, 'create table passing (a int)')
        settled(connection)
        equal(one(connection, 'select count(*) from passing', prepare=True), 0)


@check('large objects by functions, in a transaction')
def _():
    content = bytes(range(256)) * 1000
    with session() as connection:
        oid = one(connection, 'select lo_from_bytea(0, %s)', (content,))
        descriptor = one(connection, 'select lo_open(%s, 262144)', (oid,))
        equal(one(connection, 'select lo_lseek(%s, 1000, 0)', (descriptor,)), 1000)
        equal(one(connection, 'select loread(%s, 300000)', (descriptor,)), content[1000:])
        connection.commit()
        equal(one(connection, 'select lo_get(%s)', (oid,)), content)
        one(connection, 'select lo_unlink(%s)', (oid,))
        connection.commit()


@check('long texts, many columns and many parameters')
def _():
    with session(True) as connection:
        text = 'ä€𝄞' * 200_000
        equal(one(connection, 'select %s::text', (text,)) == text, True)
        row = connection.execute('select ' + ', '.join(f'{n} as column_{n}' for n in range(1600))).fetchone()
        equal(row, tuple(range(1600)))
        values = list(range(30000))
        equal(one(connection, 'select count(*) from (values ' + ','.join(['(%s)'] * 30000) + ') v', values), 30000)
        equal(one(connection, 'select count(*) from items where id = any(%s) and id <= 100', (values,)), 100)


@check('row factories, composed SQL and descriptions')
def _():
    with session(True) as connection:
        with connection.cursor(row_factory=dict_row) as cursor:
            query = compose.SQL('select id, {} from {} where id = %s').format(compose.Identifier('name'), compose.Identifier('items'))
            equal(cursor.execute(query, (1,)).fetchone(), {'id': 1, 'name': 'item 1'})
        with connection.cursor(row_factory=tuple_row) as cursor:
            equal(cursor.execute('select id from items where id <= 3 order by id').fetchall(), [(1,), (2,), (3,)])
            cursor.execute("select 1 as i, 'x'::varchar(7) as v, 1.25::numeric(8,3) as n")
            equal([(d.name, d.type_code, d.display_size, d.precision, d.scale) for d in cursor.description],
                  [('i', 23, None, None, None), ('v', 1043, 7, None, None), ('n', 1700, None, 8, 3)])


@check('parameters bound by the client, and several statements in one')
def _():
    with session(True) as connection:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute('select %s, %s; select name from items where id = %s', (1, 'a', 1))
        equal(cursor.fetchone(), (1, 'a'))
        equal(cursor.nextset(), True)
        equal(cursor.fetchone(), ('item 1',))
        fails('42601', connection.execute, 'select %s; select %s', (1, 2))
        fails('22012', cursor.execute, "insert into people (name) values ('taken back'); select 1/0")
        settled(connection)
        equal(one(connection, "select count(*) from people where name = 'taken back'"), 0)


@check('asyncio: many sessions at once')
def _():
    async def work(number):
        async with await psycopg.AsyncConnection.connect(URI) as connection:
            for turn in range(10):
                cursor = await connection.execute('select %s::int, %s::int', (number, turn))
                equal(await cursor.fetchone(), (number, turn))
                await connection.execute(f'insert into {SCHEMA}.people (name, age) values (%s, %s)', (f'async {number}', turn))
                cursor = await connection.execute(f'select count(*) from {SCHEMA}.people where name = %s', (f'async {number}',))
                equal(await cursor.fetchone(), (turn + 1,))
            await connection.rollback()

    async def everybody():
        await asyncio.gather(*(work(number) for number in range(8)))
    asyncio.run(everybody())


@check('weights spread the sessions')
def _():
    ports = set()
    for _ in range(40):
        with session(True) as connection:
            ports.add(one(connection, "select current_setting('port')"))
    equal(len(ports) > 1, READS != 'primary')
