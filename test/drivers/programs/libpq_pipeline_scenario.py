"""libpq's pipeline mode: many statements before the first answer, errors that skip to the next sync, flushes without a sync."""
import libpq_pipeline_order  # noqa: F401
import libpq_pipeline_state  # noqa: F401
from scenario import done

done()
