"""Transactions, settings, values, cancel and random pipelines."""
import random
import struct
import threading

from libpq_pipeline_session import session, ask, settled
from scenario import READS, check, equal


@check('explicit transactions over several syncs')
def _():
    with session() as connection:
        connection.send('begin')
        connection.send('select count(*) from items where id <= 3')
        connection.sync()
        connection.send("insert into people (name) values ('in block')")
        connection.sync()
        connection.send("select count(*) from people where name = 'in block'")
        connection.sync()
        equal(connection.shorts(7), ['BEGIN', [('3',)], 'SYNC', 'INSERT 0 1', 'SYNC', [('1',)], 'SYNC'])
        equal(connection.transaction, 'INTRANS')
        connection.send('select 1/0')
        connection.sync()
        connection.send('select 1')
        connection.sync()
        equal(connection.shorts(4), ['22012', 'SYNC', '25P02', 'SYNC'])
        equal(connection.transaction, 'INERROR')
        connection.send('rollback')
        connection.send("select count(*) from people where name = 'in block'")
        connection.sync()
        equal(connection.shorts(3), ['ROLLBACK', [('0',)], 'SYNC'])
        equal(connection.transaction, 'IDLE')


@check('whole transactions without waiting for an answer')
def _():
    with session() as connection:
        expected = []
        for n in range(20):
            for sql in ('begin', 'select 1', f"insert into people (name, age) values ('round', {n})", "select count(*) from people where name = 'round'"):
                connection.send(sql)
            connection.send('rollback' if n % 2 else 'commit')
            connection.sync()
            committed = (n + 1) // 2 + 1
            expected += ['BEGIN', [('1',)], 'INSERT 0 1', [(str(committed),)], 'ROLLBACK' if n % 2 else 'COMMIT', 'SYNC']
        equal(connection.shorts(120), expected)


@check('savepoints in a pipeline')
def _():
    with session() as connection:
        for sql in ('begin', 'savepoint a', "insert into people (name) values ('saved')", 'rollback to a', "select count(*) from people where name = 'saved'",
                    'release a', 'commit'):
            connection.send(sql)
        connection.sync()
        equal(connection.shorts(8), ['BEGIN', 'SAVEPOINT', 'INSERT 0 1', 'ROLLBACK', [('0',)], 'RELEASE', 'COMMIT', 'SYNC'])


@check('SET in the pipeline holds for the reads behind it')
def _():
    with session() as connection:
        connection.send("set timezone to 'Asia/Tokyo'")
        connection.send("select '2024-01-01 00:00+00'::timestamptz::text")
        connection.sync()
        connection.send("select '2024-01-01 00:00+00'::timestamptz::text")
        connection.sync()
        connection.send('begin')
        connection.send("set local timezone to 'UTC'")
        connection.send("select '2024-01-01 00:00+00'::timestamptz::text")
        connection.send('commit')
        connection.send("select '2024-01-01 00:00+00'::timestamptz::text")
        connection.sync()
        connection.send("set datestyle to 'German'")
        connection.send('select 1/0')
        connection.sync()
        connection.send("select '2024-12-31'::date::text")
        connection.sync()
        tokyo = [('2024-01-01 09:00:00+09',)]
        equal(connection.shorts(16), ['SET', tokyo, 'SYNC', tokyo, 'SYNC', 'BEGIN', 'SET', [('2024-01-01 00:00:00+00',)], 'COMMIT', tokyo, 'SYNC',
                                      'SET', '22012', 'SYNC', [('2024-12-31',)], 'SYNC'])


@check('values in binary, NULL and empty')
def _():
    with session() as connection:
        connection.send('select $1::int8 + 1, $2::bytea, $3::text, $4::text', struct.pack('>q', 2**40), bytes(range(1, 256)), None, '', binary=True)
        connection.send('select $1::int[]', '{1,NULL,3}')
        connection.sync()
        answers = connection.all(3)
        equal(answers[0][0].rows, [(struct.pack('>q', 2**40 + 1), bytes(range(1, 256)), None, b'')])
        equal(answers[1][0].short, [('{1,NULL,3}',)])


@check('single-row mode in a pipeline')
def _():
    with session() as connection:
        connection.send('select n from generate_series(1, 500) n')
        connection.send('select 2')
        connection.sync()
        rows, connected = [], True
        connection.request_flush()
        connection.single_row_mode()
        while connected:
            result = connection.next()
            connected = result is not None
            if connected and result.status == 'SINGLE':
                rows += result.rows
        equal((len(rows), rows[499]), (500, (b'500',)))
        equal(connection.shorts(2), [[('2',)], 'SYNC'])


@check('large values both ways while neither side waits')
def _():
    text = 'x' * 1_000_000
    with session() as connection:
        for n in range(12):
            if n % 4 == 3:
                connection.send('insert into people (name, age) values ($1, $2) returning name', text, n)
            else:
                connection.send('select $1::text', text)
            if n % 2:
                connection.sync()
        answers = connection.shorts(18)
        equal([answer == 'SYNC' or answer == [(text,)] for answer in answers], [True] * 18)


@check('a statement in the pipeline is cancelled')
def _():
    for sql in ('select pg_sleep(60)', 'select count(*) from generate_series(1, 1000000000000)'):
        with session() as connection:
            connection.send(sql)
            connection.send('select 1')
            connection.sync()
            connection.send('select 2')
            connection.sync()
            timer = threading.Timer(0.3, connection.cancel)
            timer.start()
            equal(connection.shorts(5), ['57014', 'ABORTED', 'SYNC', [('2',)], 'SYNC'])
            timer.join()


@check('temporary tables and DISCARD between syncs')
def _():
    with session() as connection:
        connection.send('create temp table scratch as select n from generate_series(1, 5) n')
        connection.sync()
        connection.send('select sum(n) from scratch')
        connection.send_prepare('kept', 'select 1')
        connection.sync()
        connection.send('discard all')
        connection.sync()
        connection.send('select * from scratch')
        connection.sync()
        connection.send_prepared('kept')
        connection.sync()
        # DISCARD ALL in a simple query's place: alone in its implicit transaction.
        equal(connection.shorts(11), ['SELECT 5', 'SYNC', [('15',)], 'COMMAND', 'SYNC', 'DISCARD ALL', 'SYNC', '42P01', 'SYNC', '26000', 'SYNC'])


@check('a table is altered between two runs of a prepared statement')
def _():
    with session() as connection:
        connection.send('create table altered (a int)')
        connection.send('insert into altered values (1)')
        connection.sync()
        connection.shorts(3)
        settled(connection)
        connection.send_prepare('everything', 'select * from altered')
        connection.send_prepared('everything')
        connection.sync()
        equal(connection.shorts(3)[1], [('1',)])
        connection.send('alter table altered add column b int')
        connection.sync()
        connection.shorts(2)
        settled(connection)
        connection.send_prepared('everything')
        connection.sync()
        connection.send('select * from altered')
        connection.sync()
        equal(connection.shorts(4), ['0A000', 'SYNC', [('1', None)], 'SYNC'])


@check('in and out of pipeline mode')
def _():
    with session(False) as connection:
        for n in range(5):
            equal(connection.run(f'select {n}; select {n + 1}').short, [(str(n + 1),)])
            connection.enter_pipeline()
            connection.send('select $1::int', n)
            connection.send("insert into people (name) values ('in and out')")
            connection.sync()
            equal(connection.shorts(3), [[(str(n),)], 'INSERT 0 1', 'SYNC'])
            connection.exit_pipeline()
            equal(connection.run('selec 1').short, '42601')


@check('random pipelines answer as they should')
def _():
    dice = random.Random(7)
    with session() as connection:
        connection.send_prepare('echo', 'select $1::int')
        connection.sync()
        connection.shorts(2)
        written = 0
        for _ in range(40):
            expected, unit, failed = [], 0, False
            for _ in range(dice.randint(1, 40)):
                kind, n = dice.randint(0, 6), dice.randint(0, 999)
                if kind == 0:
                    connection.sync()
                    written, unit, failed = written + (0 if failed else unit), 0, False
                    expected.append('SYNC')
                    continue
                if kind == 1:
                    connection.send('select 1 / $1::int', 0)
                    answer = '22012'
                elif kind == 2:
                    connection.send("insert into people (name, age) values ('random', $1) returning age", n)
                    answer = [(str(n),)]
                    unit += 1
                elif kind == 3:
                    connection.send_prepared('echo', n)
                    answer = [(str(n),)]
                elif kind == 4:
                    connection.send('select name from items where id = $1', n % 100 + 1)
                    answer = [(f'item {n % 100 + 1}',)]
                else:
                    connection.send('select $1::int', n)
                    answer = [(str(n),)]
                expected.append('ABORTED' if failed else answer)
                failed = failed or kind == 1
            connection.sync()
            written += 0 if failed else unit
            expected.append('SYNC')
            equal(connection.shorts(len(expected)), expected)
        settled(connection)
        equal(ask(connection, "select count(*) from people where name = 'random'"), written)


@check('the sessions are spread over the nodes')
def _():
    ports = set()
    for _ in range(30):
        with session() as connection:
            ports.add(ask(connection, "select current_setting('port')"))
    equal(len(ports) > 1, READS != 'primary')
