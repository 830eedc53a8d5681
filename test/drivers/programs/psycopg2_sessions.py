"""COPY, notifications, cancel, large objects, settings and pools."""
import io
import select
import threading

import psycopg2
import psycopg2.extras
import psycopg2.pool
from psycopg2_session import session, one, settled
from scenario import SCHEMA, URI, check, equal, expect_reader, fails


@check('COPY in and out')
def _():
    with session() as connection, connection.cursor() as cursor:
        lines = ''.join(f'{n}\tname {n}\t\\N\n' for n in range(20000))
        one(connection, 'create temp table copied (n int, name text, age int)')
        cursor.copy_expert('copy copied from stdin', io.StringIO(lines))
        equal(cursor.rowcount, 20000)
        equal(one(connection, 'select count(*) from copied where age is null'), 20000)
        back = io.StringIO()
        cursor.copy_expert('copy copied to stdout', back)
        equal(back.getvalue(), lines)
        back = io.StringIO()
        cursor.copy_expert('copy (select id from items where id <= 3 order by id) to stdout with csv header', back)
        equal(back.getvalue(), 'id\n1\n2\n3\n')
        fails('22P02', cursor.copy_expert, 'copy copied from stdin', io.StringIO('not a number\tx\t1\n'))
        connection.rollback()
        equal(one(connection, 'select 1'), 1)


@check('notices arrive in their order')
def _():
    with session(True) as connection:
        one(connection, "do $$ begin raise notice 'first %', 1; raise warning 'second'; end $$")
        equal([notice.strip() for notice in connection.notices][:2], ['NOTICE:  first 1', 'WARNING:  second'])
        one(connection, "set client_min_messages to error")
        del connection.notices[:]
        one(connection, "do $$ begin raise notice 'unheard'; end $$")
        equal(connection.notices, [])


@check('LISTEN and NOTIFY between sessions')
def _():
    with session(True) as listener, session() as sender:
        channel = f'from_{SCHEMA}'
        one(listener, f'listen {channel}')
        one(sender, f"notify {channel}, 'one'")
        one(sender, 'select pg_notify(%s, %s)', (channel, 'zwei'))
        equal(select.select([listener], [], [], 0.1)[0], [])
        sender.commit()
        heard = []
        while len(heard) < 2:
            equal(select.select([listener], [], [], 10)[0], [listener])
            listener.poll()
            while listener.notifies:
                heard.append(listener.notifies.pop(0).payload)
        equal(heard, ['one', 'zwei'])
        one(listener, 'unlisten *')


@check('cancel and statement_timeout')
def _():
    for sql in ('select pg_sleep(60)', 'select count(*) from generate_series(1, 1000000000000)'):
        with session(True) as connection:
            timer = threading.Timer(0.3, connection.cancel)
            timer.start()
            fails('57014', one, connection, sql)
            timer.join()
            equal(one(connection, 'select 1'), 1)
    with session(True) as connection:
        one(connection, "set statement_timeout to '100ms'")
        fails('57014', one, connection, 'select pg_sleep(60)')
        fails('57014', one, connection, 'select count(*) from generate_series(1, 1000000000000)')
        one(connection, 'reset statement_timeout')
        equal(one(connection, 'show statement_timeout'), '0')


@check('large objects by the fast path')
def _():
    content = bytes(range(256)) * 1000
    with session() as connection:
        large = connection.lobject(0, 'wb')
        large.write(content)
        large.close()
        connection.commit()
        again = connection.lobject(large.oid, 'rb')
        equal(again.read(100), content[:100])
        equal(again.seek(1000), 1000)
        equal(again.read(), content[1000:])
        equal(again.tell(), len(content))
        again.unlink()
        connection.commit()


@check('SET holds for the reads that follow')
def _():
    with session(True) as connection:
        one(connection, 'create table other_path (n int)')
        one(connection, 'set timezone to "Asia/Tokyo"')
        equal(one(connection, "select '2024-01-01 00:00+00'::timestamptz::text"), '2024-01-01 09:00:00+09')
        one(connection, "set datestyle to 'German'")
        equal(one(connection, "select '2024-12-31'::date::text"), '31.12.2024')
        connection.set_client_encoding('LATIN1')
        equal(one(connection, "select 'ä'::text"), 'ä')
        equal(one(connection, 'select %s::text', ('ü',)), 'ü')
        one(connection, "select set_config('search_path', 'public', false)")
        fails('42P01', one, connection, 'select * from other_path')
        one(connection, f'set search_path to {SCHEMA}')
        settled(connection)
        equal(one(connection, 'select count(*) from other_path'), 0)
    with session() as connection:
        one(connection, 'set extra_float_digits to 0')
        one(connection, 'set local timezone to "UTC"')
        equal(one(connection, "select '2024-01-01 00:00+00'::timestamptz::text"), '2024-01-01 00:00:00+00')
        connection.rollback()
        equal(one(connection, 'show extra_float_digits'), '1')


@check('temporary tables')
def _():
    with session() as connection:
        one(connection, 'create temp table scratch on commit preserve rows as select n from generate_series(1, 5) n')
        equal(one(connection, 'select sum(n) from scratch'), 15)
        connection.commit()
        equal(one(connection, 'select sum(n) from scratch'), 15)
        one(connection, 'create temp table passing (n int) on commit drop')
        equal(one(connection, 'select count(*) from passing'), 0)
        connection.commit()
        fails('42P01', one, connection, 'select count(*) from passing')
    with session(True) as connection:
        fails('42P01', one, connection, 'select count(*) from scratch')


@check('reset() and DISCARD ALL bring a new session back')
def _():
    with session() as connection:
        one(connection, 'create temp table left_over (n int)')
        one(connection, 'set timezone to "Asia/Tokyo"')
        connection.commit()
        connection.reset()
        equal(one(connection, 'show timezone') == 'Asia/Tokyo', False)
        connection.rollback()
        connection.autocommit = True
        one(connection, 'prepare gone as select 1')
        one(connection, 'discard all')
        fails('26000', one, connection, 'execute gone')
        fails('42P01', one, connection, 'select * from left_over')
        expect_reader(one(connection, "select current_setting('port')"))


@check('a pool of connections, threads')
def _():
    pool = psycopg2.pool.ThreadedConnectionPool(2, 6, URI)
    answers, problems = {}, []

    def work(number):
        try:
            for turn in range(10):
                connection = pool.getconn()
                with connection, connection.cursor() as cursor:
                    cursor.execute(f'insert into {SCHEMA}.people (name, age) values (%s, %s)', (f'thread {number}', turn))
                    cursor.execute(f'select count(*) from {SCHEMA}.people where name = %s and age = %s', (f'thread {number}', turn))
                    answers[number, turn] = cursor.fetchone()[0]
                pool.putconn(connection)
        except Exception as error:
            problems.append(error)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.closeall()
    equal(problems, [])
    equal(answers, {(number, turn): 1 for number in range(6) for turn in range(10)})


@check('long texts and many columns')
def _():
    with session(True) as connection:
        text = 'ä€𝄞' * 200_000
        equal(one(connection, 'select %s::text', (text,)) == text, True)
        with connection.cursor() as cursor:
            cursor.execute('select ' + ', '.join(f'{n} as column_{n}' for n in range(1600)))
            equal(cursor.fetchone(), tuple(range(1600)))
            equal(cursor.description[1599].name, 'column_1599')
            cursor.execute('select count(*) from items where id in (' + ','.join(map(str, range(1, 20001))) + ') and id <= 100')
            equal(cursor.fetchone(), (100,))


@check('several statements in one string')
def _():
    with session(True) as connection, connection.cursor() as cursor:
        cursor.execute("insert into people (name) values ('one of several'); select count(*) from people where name = 'one of several'")
        equal(cursor.fetchone(), (1,))
        fails('22012', cursor.execute, "insert into people (name) values ('taken back'); select 1/0")
        cursor.execute("begin; select 1; insert into people (name) values ('taken back'); select 2")
        equal(cursor.fetchone(), (2,))
        cursor.execute('rollback')
        settled(connection)
        equal(one(connection, "select count(*) from people where name = 'taken back'"), 0)
        fails('42601', cursor.execute, 'selec 1')
        cursor.execute('; ; select 3 ; ')
        equal(cursor.fetchone(), (3,))


@check('a table is altered under a prepared statement and a cursor')
def _():
    with session(True) as connection, session(True) as other:
        one(connection, 'create table altered (a int)')
        one(connection, 'insert into altered values (1)')
        one(connection, 'prepare everything as select * from altered')
        settled(connection)
        equal(one(connection, 'execute everything'), 1)
        one(other, 'alter table altered add column b int')
        settled(other)
        fails('0A000', one, connection, 'execute everything')
        settled(connection)
        with connection.cursor() as cursor:
            cursor.execute('select * from altered')
            equal(cursor.fetchall(), [(1, None)])
        one(other, 'drop table altered')
        settled(connection)
        fails('42P01', one, connection, 'select * from altered')


@check('asynchronous mode with poll')
def _():
    connection = psycopg2.connect(URI, async_=True)
    psycopg2.extras.wait_select(connection)
    cursor = connection.cursor()
    for n in range(20):
        cursor.execute('select %s, pg_backend_pid() > 0', (n,))
        psycopg2.extras.wait_select(connection)
        equal(cursor.fetchone(), (n, True))
    connection.close()


@check('columns are described')
def _():
    with session(True) as connection, connection.cursor() as cursor:
        cursor.execute("select 1 as i, 'x'::varchar(7) as v, 1.25::numeric(8,3) as n, null::timestamptz as t")
        equal([(d.name, d.type_code) for d in cursor.description], [('i', 23), ('v', 1043), ('n', 1700), ('t', 1184)])
        equal((cursor.description[2].precision, cursor.description[2].scale), (8, 3))
        cursor.execute("select column_name from information_schema.columns where table_schema = %s and table_name = 'people' order by ordinal_position", (SCHEMA,))
        equal([row[0] for row in cursor], ['id', 'name', 'age', 'about'])
