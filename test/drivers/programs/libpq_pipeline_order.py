"""Answers come in order, errors skip to their sync, flushes."""
from libpq_pipeline_session import session, ask, settled
from scenario import check, equal, expect_reader


@check('a pipeline of one read runs where it should')
def _():
    with session() as connection:
        expect_reader(ask(connection, "select current_setting('port')"))


@check('reads with one sync at the end answer in order')
def _():
    with session() as connection:
        for n in range(100):
            connection.send('select $1::int, $2', n, f'text {n}')
        connection.sync()
        equal(connection.shorts(101), [[(str(n), f'text {n}')] for n in range(100)] + ['SYNC'])


@check('reads and writes with a sync each answer in order')
def _():
    with session() as connection:
        expected = []
        for n in range(100):
            if n % 3 == 1:
                connection.send('insert into people (name, age) values ($1, $2) returning age', f'turn {n}', n)
            else:
                connection.send('select $1::int from items where id = 1', n)
            connection.sync()
            expected += [[(str(n),)], 'SYNC']
        equal(connection.shorts(200), expected)
        settled(connection)
        equal(ask(connection, "select count(*) from people where name like 'turn %'"), 33)


@check('what one sync ends is one transaction: a read behind a write sees it')
def _():
    with session() as connection:
        connection.send("insert into people (name) values ('implicit')")
        connection.send("select count(*) from people where name = 'implicit'")
        connection.send("delete from people where name = 'implicit'")
        connection.send("select count(*) from people where name = 'implicit'")
        connection.sync()
        equal(connection.shorts(5), ['INSERT 0 1', [('1',)], 'DELETE 1', [('0',)], 'SYNC'])


@check('a read before a write in the same transaction is taken back with it')
def _():
    with session() as connection:
        connection.send('select count(*) from items where id <= 3')
        connection.send("insert into people (name) values ('taken back')")
        connection.send('select 1/0')
        connection.send("insert into people (name) values ('never run')")
        connection.sync()
        connection.send("select count(*) from people where name in ('taken back', 'never run')")
        connection.sync()
        equal(connection.shorts(7), [[('3',)], 'INSERT 0 1', '22012', 'ABORTED', 'SYNC', [('0',)], 'SYNC'])


@check('an error skips to its sync and no further')
def _():
    with session() as connection:
        expected = []
        for n in range(30):
            connection.send('select $1::int', n)
            connection.send('select * from no_such_table' if n % 2 else 'select 1 / $1::int', *([] if n % 2 else [0]))
            connection.send('insert into people (name) values ($1)', 'skipped')
            connection.send('select 7')
            connection.sync()
            expected += [[(str(n),)], '42P01' if n % 2 else '22012', 'ABORTED', 'ABORTED', 'SYNC']
        equal(connection.shorts(150), expected)
        settled(connection)
        equal(ask(connection, "select count(*) from people where name = 'skipped'"), 0)


@check('a flush request brings answers before the sync')
def _():
    with session() as connection:
        for n in range(10):
            connection.send('select $1::int', n)
            connection.request_flush()
            equal(connection.shorts(1), [[(str(n),)]])
        connection.send("insert into people (name) values ('flushed')")
        connection.send("select count(*) from people where name = 'flushed'")
        connection.request_flush()
        equal(connection.shorts(2), ['INSERT 0 1', [('1',)]])
        connection.send('select 1/0')
        connection.sync()
        equal(connection.shorts(2), ['22012', 'SYNC'])
        settled(connection)
        equal(ask(connection, "select count(*) from people where name = 'flushed'"), 0)


@check('a write behind a flushed read')
def _():
    with session() as connection:
        for n in range(5):
            connection.send("select current_setting('port')")
            connection.request_flush()
            expect_reader(connection.shorts(1)[0][0][0])
            connection.send('insert into people (name, age) values ($1, $2) returning age', 'behind', n)
            connection.request_flush()
            equal(connection.shorts(1), [[(str(n),)]])
            connection.send("select count(*) from people where name = 'behind'")
            connection.sync()
            equal(connection.shorts(2), [[(str(n + 1),)], 'SYNC'])


@check('statements are prepared, described and run in one pipeline')
def _():
    with session() as connection:
        connection.send_prepare('by_id', 'select name from items where id = $1')
        connection.send_prepare('add', 'insert into people (name, age) values ($1, $2) returning age')
        connection.send_describe('by_id')
        for n in range(1, 11):
            connection.send_prepared('by_id', n)
            connection.send_prepared('add', 'prepared', n)
        connection.sync()
        answers = connection.all(24)
        equal([answers[0][0].status, answers[1][0].status], ['COMMAND', 'COMMAND'])
        equal((answers[2][0].names, answers[2][0].parameters), (['name'], 1))
        equal([result[0].short for result in answers[3:23]], [[(f'item {n // 2}',)] if n % 2 == 0 else [(str(n // 2),)] for n in range(2, 22)])
        for n in range(1, 11):
            connection.send_prepared('by_id', n)
            connection.sync()
            connection.send_prepared('add', 'prepared', n)
            connection.sync()
        equal(connection.shorts(40), [answer for n in range(1, 11) for answer in ([(f'item {n}',)], 'SYNC', [(str(n),)], 'SYNC')])


@check('a statement whose preparation failed does not exist')
def _():
    with session() as connection:
        connection.send_prepare('broken', 'select nix from items')
        connection.send_prepared('broken')
        connection.sync()
        connection.send_prepared('broken')
        connection.sync()
        connection.send_prepare('broken', 'select 1')
        connection.send_prepared('broken')
        connection.sync()
        connection.send_prepare('broken', 'select 2')
        connection.sync()
        equal(connection.shorts(9), ['42703', 'ABORTED', 'SYNC', '26000', 'SYNC', 'COMMAND', [('1',)], 'SYNC', '42P05'])
        equal(connection.shorts(1), ['SYNC'])


@check('a statement prepared in a transaction that fails stays')
def _():
    with session() as connection:
        connection.send_prepare('stays', 'select name from items where id = $1')
        connection.send('select 1/0')
        connection.sync()
        connection.send_prepared('stays', 2)
        connection.sync()
        connection.send('select 3')
        connection.send_prepared('stays', 3)
        connection.sync()
        equal(connection.shorts(8), ['COMMAND', '22012', 'SYNC', [('item 2',)], 'SYNC', [('3',)], [('item 3',)], 'SYNC'])
