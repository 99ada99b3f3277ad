"""High-throughput JPEG 2000 codestreams of pictures that `make_ht_picture` draws.

Nothing among the project's dependencies encodes HTJ2K (ISO/IEC 15444-15). These were encoded once from the
pictures below by OpenJPH.
"""

from __future__ import annotations

import base64

import numpy as np


def make_ht_picture(number: int) -> np.ndarray:
    """Stripes with steps, uint8 (40, 48)."""
    y, x = np.mgrid[:40, :48]
    return ((2 * x + 3 * y + 17 * number) % 200 + 20).astype(np.uint8)


def _read(text: str) -> bytes:
    return base64.b64decode(text)


REVERSIBLE = [
    _read(text)
    for text in (
        (
            "/0//UQApQAAAAAAwAAAAKAAAAAAAAAAAAAAAMAAAACgAAAAAAAAAAAABBwEB/1AACAACAAAAAv9SAAwAAgABAAUEBEAB/1wAEyBI"
            "UFBQUFBQUFBQUFBQSEhI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAOUAAf+TwCoA2clT/gCDNADAEcARgBtzAADj"
            "AMAVEASQBICiAIAP4At2AEN3VAD+gAMAwBUQBVwBMAAA3KOnwnYAWmutw/QM38m+twDr8gERxQDAFowBakAVYAAAAIQAUvvz+AA9"
            "p6enQnoATJIkKQIZi6r/TDCE/ZJ79knsvABRuPEL/v9cYiZWAMAtqAXRQCuAAAAnBIzZi4kg/P1/wkRDw3T09PT09PTycAEXLgIA"
            "AAAANhglFFuS8P99YAIFDXv3Xv3Xv3Xv3XssQLQBo1HMeOX/fWhiLNhCeQD/2Q=="
        ),
        (
            "/0//UQApQAAAAAAwAAAAKAAAAAAAAAAAAAAAMAAAACgAAAAAAAAAAAABBwEB/1AACAACAAAAAv9SAAwAAgABAAUEBEAB/1wAEyBI"
            "UFBQUFBQUFBQUFBQSEhI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAATwAAf+TwCoAOYgUxgCBtADAEkASQBIA8yNz"
            "AIMSMwD9J3MAwBUQBLAEoKJcgAuQC3YA50l3VAD+gA90AMAVkAV8AVQABERpkPzdmQPCdgCEtNYKVPXwAAB9k1rwuQAS6ICA8kfk"
            "QLYAwBasAW3AFqAAADgrxn747rXz4YCXGcmcp6dCfABCAoxMkqQDNCwyodw14f9EMDxJ79knssQlzQCMizcFLwFwFEL0/0WEjccU"
            "IpZaAMAurgF2EAtwAMDF0JxcUTmmXGJoBGJlknKJocj9f3kzDJqGhoy4ALHEhLT09PT09PJ3AccHO77wym8F4wgAAACsKCVWbBcC"
            "gUD0/3yUhWUEChr37r37r37r2XkmLCCxRJZZAeOx0XjsqCI25lilsfH/fJTgQiYch8QLEEBWXwD/2Q=="
        ),
    )
]
"""Lossless, of pictures 0 and 1."""

IRREVERSIBLE = [
    _read(text)
    for text in (
        (
            "/0//UQApQAAAAAAwAAAAKAAAAAAAAAAAAAAAMAAAACgAAAAAAAAAAAABBwEB/1AACAACAAAAIP9SAAwAAgABAAUEBEAA/1wAIyJZ"
            "qVmLWYtZblGZUZlRhknLSctJ2kJCQkJCljogOiA52P9kABcAAU9wZW5KUEggVmVyIDAuMjYuMy7/kAAKAAAAAADIAAH/k8AKkBV8"
            "0xpgAUM0AMAJYASgOwDLdADRAMF0AMAVsAVEASDwO0iK+UAAFuAI+bgAWKhw/it+tAD+n3MAwCqgFfAJgImUSPvZK0kitgDADwEg"
            "rAM95Pc3XUmM6gBA+gACtQDAVkBXQFUAgATq8/EAAS5JS+kAAkDW/0wACMcf79/suwAzTOL/SgRQllcAwKuBXwK4MVSe+v99ayfB"
            "5wDHAAkSW7f+/31phgwD2ACQEREPIP99ZKRuuVM5AP/Z"
        ),
        (
            "/0//UQApQAAAAAAwAAAAKAAAAAAAAAAAAAAAMAAAACgAAAAAAAAAAAABBwEB/1AACAACAAAAIP9SAAwAAgABAAUEBEAA/1wAIyJZ"
            "qVmLWYtZblGZUZlRhknLSctJ2kJCQkJCljogOiA52P9kABcAAU9wZW5KUEggVmVyIDAuMjYuMy7/kAAKAAAAAAEPAAH/k8AKkDcV"
            "+IXGAQG0AMAJoASwAlDh/AADdACnAMF0APsAR3QAwBWwBPAEwLCLAhFEQAQW4It5uABYqOgbfrQAE8oBHsQAwCsgFpwCsIkQhErn"
            "2Q/jgSK3AMAPg4QAKPD8BD/J7mAS3UmM6wCDAzgD8PIEfowj1wDAV8BacBXgAEfMGejz8AUl1so5S+oAy0EFFNTNfCf/SBgh7ff7"
            "LAPbAFbco+S34PD/RYoV0yXIAMC14FtwLaAP8k5xLaHaIZz/fJTy1DTaW3oWAZZeAA+HwinITlZDNJBkpsX/fJTkwAwaW+z0AiZe"
            "AKEZA9CuYctQSWz/e8qHCkifuvn8zAEhjlAB/9k="
        ),
    )
]
"""Lossy, of pictures 0 and 1."""
