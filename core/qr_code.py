"""QR codes as SVG, to be put into a page: no image is loaded from anywhere, so a private link stays in the page."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode


def as_svg(text: str, *, title: str) -> SafeString:
    """Returns an <svg> element with the text as a QR code, dark on light, with the quiet zone that scanners need."""
    code: QRCode[Any] = QRCode(error_correction=ERROR_CORRECT_M)
    code.add_data(text)
    matrix = code.get_matrix()
    modules = "".join(
        f"M{column} {row}h1v1h-1z"
        for row, line in enumerate(matrix)
        for column, dark in enumerate(line)
        if dark
    )
    return format_html(
        '<svg class="qr-code" role="img" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        '<title>{title}</title><path class="qr-light" d="M0 0h{size}v{size}H0z"/>'
        '<path class="qr-dark" d="{modules}"/></svg>',
        size=len(matrix),
        title=title,
        modules=modules,
    )
