"""What the Python programs share: the target, and how checks are reported."""
import os
import random
import sys
import time
import traceback

HOST = os.environ['DRIVER_HOST']
PORT = int(os.environ['DRIVER_PORT'])
URI = os.environ['DRIVER_URI']
SCHEMA = os.environ['DRIVER_SCHEMA']
READS = os.environ['DRIVER_READS']
PRIMARY_PORT = int(os.environ['DRIVER_PRIMARY_PORT'])

_checks = 0


def check(name):
    """Decorator: runs the function at once and reports how it went."""
    def run(function):
        global _checks
        _checks += 1
        try:
            function()
            print(f'ok - {name}', flush=True)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)
            line = next((frame.lineno for frame in where if frame.name == function.__name__), 0)
            reason = ' '.join(f'{type(error).__name__} {error}'.split())
            print(f'not ok - {name}: line {line}: {reason}', flush=True)
        return function
    return run


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f'{actual!r} instead of {expected!r}')


def fails(sqlstate, function, *arguments):
    """The call must fail with this SQLSTATE."""
    try:
        function(*arguments)
    except Exception as error:
        state = getattr(error, 'pgcode', None) or getattr(error, 'sqlstate', None)
        if state != sqlstate:
            raise AssertionError(f'SQLSTATE {state} ({error}) instead of {sqlstate}') from error
        return error
    raise AssertionError(f'no error instead of SQLSTATE {sqlstate}')


def settle(run):
    """Waits until this session's reads see what has been committed. `run` gives the first column of the first row, in autocommit."""
    mark = random.getrandbits(62)
    run(f'insert into {SCHEMA}.mark values ({mark})')
    for _ in range(1000):
        if run(f'select count(*) from {SCHEMA}.mark where n = {mark}') == 1:
            return
        time.sleep(0.02)
    raise AssertionError('the standby does not follow')


def expect_reader(port):
    """Is the port that a read was answered from the one it should be?"""
    on_primary = int(port) == PRIMARY_PORT
    if READS == 'primary':
        equal(on_primary, True)
    elif READS == 'standby':
        equal(on_primary, False)


def done():
    print(f'1..{_checks}', flush=True)
    sys.exit(0)
