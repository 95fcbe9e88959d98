"""The one clock that all processes share: the database's."""

from typing import Any

from django.db.models import FloatField, Func


class DatabaseSeconds(Func):
    """Seconds since 1970 when the statement began, also inside a transaction."""

    arity = 0
    output_field = FloatField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        template = "EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP())::double precision"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        # 2440587.5 is the Julian day on which 1970 began.
        template = "((JULIANDAY('now') - 2440587.5) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, **context)
