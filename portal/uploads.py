"""How much may be uploaded at once."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# Twice what the largest file may have: one that is a little too large is told so at its field, with the form kept.
MOST_BYTES = 20_000_000


class LimitedUpload(FileUploadHandler):
    """Refuses a request with files that is far too large by what its header says, before anything of it is kept.

    A request that says less than it sends is cut off there by the server.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803, as Django names it
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        if content_length > MOST_BYTES:
            raise RequestDataTooBig(f"{content_length} bytes are uploaded, at most {MOST_BYTES} are taken.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
