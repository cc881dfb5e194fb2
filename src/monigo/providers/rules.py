"""Pure: the table of providers, by their own documentation (2026)."""

from decimal import Decimal

from monigo.providers.types import PayoutMethod, Provider, ProviderName

_BANK = frozenset({PayoutMethod.BANK_TRANSFER})
_MOBILE = frozenset({PayoutMethod.MOBILE_MONEY})
_BOTH = _BANK | _MOBILE

_PAYSTACK = Provider(
    name=ProviderName.PAYSTACK,
    collects=frozenset(),
    collects_in={
        "CI": frozenset({"XOF"}),
        "EG": frozenset({"EGP"}),
        "GH": frozenset({"GHS"}),
        "KE": frozenset({"KES", "USD"}),
        "NG": frozenset({"NGN", "USD"}),
        "RW": frozenset({"RWF"}),
        "ZA": frozenset({"ZAR"}),
    },
    pays_out={"CI": _BANK, "GH": _BOTH, "KE": _BOTH, "NG": _BANK, "ZA": _BANK},
    minimums={
        "GHS": Decimal("0.10"),
        "KES": Decimal(3),
        "NGN": Decimal(50),
        "USD": Decimal(2),
        "XOF": Decimal(1),
        "ZAR": Decimal(1),
    },
)

_FLUTTERWAVE = Provider(
    name=ProviderName.FLUTTERWAVE,
    collects=frozenset(
        {
            *("EGP", "ETB", "EUR", "GBP", "GHS", "KES", "MWK", "NGN", "RWF"),
            *("TZS", "UGX", "USD", "XAF", "XOF", "ZAR", "ZMW"),
        }
    ),
    collects_in={},
    pays_out={
        **dict.fromkeys(("BF", "GN", "GW", "ML", "NG", "SL", "TN", "ZA"), _BANK),
        **dict.fromkeys(("CI", "CM", "GH", "KE", "RW", "SN", "TZ", "UG", "ZM"), _BOTH),
        **dict.fromkeys(("ET", "MW"), _MOBILE),
    },
    minimums={},
)

_MONNIFY = Provider(
    name=ProviderName.MONNIFY,
    collects=frozenset(),
    collects_in={"NG": frozenset({"NGN"})},
    pays_out={"NG": _BANK},
    minimums={"NGN": Decimal(20)},
)

# In the order in which they are shown.
PROVIDERS = (_PAYSTACK, _FLUTTERWAVE, _MONNIFY)
