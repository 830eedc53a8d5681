"""psycopg 3: extended protocol, statements prepared on the server, text and binary, pipelines, asyncio."""
import psycopg3_statements  # noqa: F401
import psycopg3_sessions  # noqa: F401
from scenario import done

done()
