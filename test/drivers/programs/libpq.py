"""libpq by ctypes: as much of it as the scenario of its pipeline mode needs."""
import ctypes
import select
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_void_p, create_string_buffer

_lib = ctypes.CDLL('libpq.so.5')


def _declare(name, result, *arguments):
    function = getattr(_lib, name)
    function.restype, function.argtypes = result, arguments
    return function


PGRES = {0: 'EMPTY', 1: 'COMMAND', 2: 'TUPLES', 3: 'COPY_OUT', 4: 'COPY_IN', 7: 'ERROR', 9: 'SINGLE', 10: 'SYNC', 11: 'ABORTED', 12: 'CHUNK'}
_formats = POINTER(c_int)
_connect = _declare('PQconnectdb', c_void_p, c_char_p)
_status = _declare('PQstatus', c_int, c_void_p)
_error = _declare('PQerrorMessage', c_char_p, c_void_p)
_finish = _declare('PQfinish', None, c_void_p)
_enter = _declare('PQenterPipelineMode', c_int, c_void_p)
_exit = _declare('PQexitPipelineMode', c_int, c_void_p)
_sync = _declare('PQpipelineSync', c_int, c_void_p)
_flush_request = _declare('PQsendFlushRequest', c_int, c_void_p)
_flush = _declare('PQflush', c_int, c_void_p)
_nonblocking = _declare('PQsetnonblocking', c_int, c_void_p, c_int)
_socket = _declare('PQsocket', c_int, c_void_p)
_consume = _declare('PQconsumeInput', c_int, c_void_p)
_busy = _declare('PQisBusy', c_int, c_void_p)
_get = _declare('PQgetResult', c_void_p, c_void_p)
_exec = _declare('PQexec', c_void_p, c_void_p, c_char_p)
_send_params = _declare('PQsendQueryParams', c_int, c_void_p, c_char_p, c_int, c_void_p, POINTER(c_char_p), _formats, _formats, c_int)
_send_prepare = _declare('PQsendPrepare', c_int, c_void_p, c_char_p, c_char_p, c_int, c_void_p)
_send_prepared = _declare('PQsendQueryPrepared', c_int, c_void_p, c_char_p, c_int, POINTER(c_char_p), _formats, _formats, c_int)
_describe_prepared = _declare('PQsendDescribePrepared', c_int, c_void_p, c_char_p)
_describe_portal = _declare('PQsendDescribePortal', c_int, c_void_p, c_char_p)
_single = _declare('PQsetSingleRowMode', c_int, c_void_p)
_transaction = _declare('PQtransactionStatus', c_int, c_void_p)
_result_status = _declare('PQresultStatus', c_int, c_void_p)
_result_field = _declare('PQresultErrorField', c_char_p, c_void_p, c_int)
_command = _declare('PQcmdStatus', c_char_p, c_void_p)
_rows = _declare('PQntuples', c_int, c_void_p)
_columns = _declare('PQnfields', c_int, c_void_p)
_name = _declare('PQfname', c_char_p, c_void_p, c_int)
_parameters = _declare('PQnparams', c_int, c_void_p)
_value = _declare('PQgetvalue', POINTER(c_char), c_void_p, c_int, c_int)
_length = _declare('PQgetlength', c_int, c_void_p, c_int, c_int)
_null = _declare('PQgetisnull', c_int, c_void_p, c_int, c_int)
_clear = _declare('PQclear', None, c_void_p)
_get_cancel = _declare('PQgetCancel', c_void_p, c_void_p)
_cancel = _declare('PQcancel', c_int, c_void_p, c_char_p, c_int)
_free_cancel = _declare('PQfreeCancel', None, c_void_p)


class Result:
    """A PGresult, read and freed."""

    def __init__(self, pointer, binary=False):
        self.status = PGRES.get(_result_status(pointer), 'OTHER')
        state = _result_field(pointer, ord('C'))
        self.sqlstate = state.decode() if state else None
        self.command = (_command(pointer) or b'').decode()
        self.names = [_name(pointer, column).decode() for column in range(_columns(pointer))]
        self.parameters = _parameters(pointer)
        self.rows = [tuple(None if _null(pointer, row, column) else ctypes.string_at(_value(pointer, row, column), _length(pointer, row, column))
                           for column in range(len(self.names))) for row in range(_rows(pointer))]
        _clear(pointer)

    @property
    def short(self):
        """What the checks compare: the rows as text, the command's tag, the SQLSTATE, or the kind of result."""
        if self.status == 'ERROR':
            return self.sqlstate
        if self.status in ('TUPLES', 'SINGLE', 'CHUNK'):
            return [tuple(value if value is None else value.decode() for value in row) for row in self.rows]
        return self.command if self.status == 'COMMAND' and self.command else self.status


class Connection:
    def __init__(self, uri):
        self._pointer = _connect(uri.encode())
        if _status(self._pointer) != 0:
            message = _error(self._pointer).decode()
            self.close()
            raise RuntimeError(message)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self._pointer:
            _finish(self._pointer)
        self._pointer = None

    def _must(self, ok):
        if not ok:
            raise RuntimeError(_error(self._pointer).decode())

    def run(self, sql):
        return Result(_exec(self._pointer, sql.encode()))

    def enter_pipeline(self):
        self._must(_nonblocking(self._pointer, 1) == 0)
        self._must(_enter(self._pointer))

    def exit_pipeline(self):
        self._must(_exit(self._pointer))
        self._must(_nonblocking(self._pointer, 0) == 0)

    def _arrays(self, values, binary):
        """Strings are sent as text, bytes in binary."""
        count = len(values)
        pointers = (c_char_p * count)(*(None if value is None else value if isinstance(value, bytes) else str(value).encode() for value in values))
        lengths = (c_int * count)(*(len(value) if isinstance(value, bytes) else 0 for value in values))
        formats = (c_int * count)(*(1 if isinstance(value, bytes) else 0 for value in values))
        return count, pointers, lengths, formats, 1 if binary else 0

    def send(self, sql, *values, binary=False):
        count, pointers, lengths, formats, form = self._arrays(values, binary)
        self._must(_send_params(self._pointer, sql.encode(), count, None, pointers, lengths, formats, form))

    def send_prepare(self, name, sql):
        self._must(_send_prepare(self._pointer, name.encode(), sql.encode(), 0, None))

    def send_prepared(self, name, *values, binary=False):
        count, pointers, lengths, formats, form = self._arrays(values, binary)
        self._must(_send_prepared(self._pointer, name.encode(), count, pointers, lengths, formats, form))

    def send_describe(self, name):
        self._must(_describe_prepared(self._pointer, name.encode()))

    def send_describe_portal(self, name):
        self._must(_describe_portal(self._pointer, name.encode()))

    def sync(self):
        self._must(_sync(self._pointer))

    def request_flush(self):
        self._must(_flush_request(self._pointer))

    def single_row_mode(self):
        self._must(_single(self._pointer))

    def cancel(self):
        cancel = _get_cancel(self._pointer)
        text = create_string_buffer(256)
        ok = _cancel(cancel, text, 256)
        _free_cancel(cancel)
        if not ok:
            raise RuntimeError(text.value.decode())

    @property
    def transaction(self):
        return ('IDLE', 'ACTIVE', 'INTRANS', 'INERROR', 'UNKNOWN')[_transaction(self._pointer)]

    def next(self):
        """The next result, or None between two statements. Reads and writes at the same time, as libpq's manual asks for."""
        socket = _socket(self._pointer)
        while _flush(self._pointer) == 1:
            readable, _, _ = select.select([socket], [socket], [], 20)
            if readable:
                self._must(_consume(self._pointer))
        while _busy(self._pointer):
            if not select.select([socket], [], [], 20)[0]:
                raise RuntimeError('no answer in 20 s')
            self._must(_consume(self._pointer))
        pointer = _get(self._pointer)
        return Result(pointer) if pointer else None

    def all(self, statements):
        """The results of so many statements, each a list; a sync counts as one."""
        answers = []
        for _ in range(statements):
            results = []
            while True:
                result = self.next()
                if result is None:
                    break
                results.append(result)
                # Behind a sync there is no None.
                if result.status == 'SYNC':
                    break
            answers.append(results)
        return answers

    def shorts(self, statements):
        return [results[0].short if len(results) == 1 else [result.short for result in results] for results in self.all(statements)]
