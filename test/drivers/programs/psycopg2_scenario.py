"""psycopg 2: simple protocol only, transactions opened by the driver, server-side cursors by DECLARE."""
import psycopg2_statements  # noqa: F401
import psycopg2_sessions  # noqa: F401
from scenario import done

done()
