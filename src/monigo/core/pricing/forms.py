"""How prices are read from what clients send, and written for them and for storage.

The shapes are those of the published API (contract, `tiers` by pricing model).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from monigo.core.errors import invalid
from monigo.core.money import (
    MONEY_PLACES,
    QUANTITY_PLACES,
    UNIT_PRICE_PLACES,
    format_decimal,
    format_money,
    format_unit_price,
    parse_decimal,
)
from monigo.core.pricing.models import (
    MODEL_ALIASES,
    Charge,
    FlatUnit,
    Overage,
    Package,
    Percentage,
    PriceModel,
    PricingModel,
    Tier,
    Tiered,
    Volume,
    WeightedTiered,
)

# A hundred steps are more than any published price list has, and keep pricing a line cheap.
TIERS_MAX = 100

_KINDS: Mapping[type[PriceModel], PricingModel] = {
    FlatUnit: PricingModel.FLAT_UNIT,
    Tiered: PricingModel.TIERED,
    Volume: PricingModel.VOLUME,
    WeightedTiered: PricingModel.WEIGHTED_TIERED,
    Package: PricingModel.PACKAGE,
    Overage: PricingModel.OVERAGE,
    Percentage: PricingModel.PERCENTAGE,
}

_ZERO = Decimal(0)
_OVERAGE_TIERS = 2  # a legacy overage list: the included units, then the rest


def price_model_json(model: PriceModel) -> tuple[str | None, object | None]:
    """A model's `unit_price` and `tiers` in canonical form, for storage and echo.

    `parse_price_model` reads them back as the same model. Legacy forms come out as current ones.
    """
    match model:
        case FlatUnit(unit_price):
            return format_unit_price(unit_price), None
        case Package():
            return None, {
                "package_size": _quantity_json(model.package_size),
                "package_price": format_unit_price(model.package_price),
                "round_up_partial_block": model.round_up_partial_block,
            }
        case Overage():
            return None, {
                "included_units": _quantity_json(model.included_units),
                "base_price": format_unit_price(model.base_price),
                "overage_price": format_unit_price(model.overage_price),
            }
        case Percentage():
            return None, {
                "rate": format_decimal(model.rate),
                "fixed": format_unit_price(model.fixed),
            }
        case Tiered(tiers) | Volume(tiers) | WeightedTiered(tiers):
            return None, [_tier_json(tier) for tier in tiers]


def charge_json(charge: Charge) -> dict[str, object]:
    """A charge in canonical form, for storage; `charge_from_json` reads it back as the same."""
    unit_price, tiers = price_model_json(charge.model)
    return {
        "model": pricing_model(charge.model).value,
        "unit_price": unit_price,
        "tiers": tiers,
        "flat_fee": format_money(charge.flat_fee),
        "minimum_amount": _money_json(charge.minimum_amount),
        "maximum_amount": _money_json(charge.maximum_amount),
    }


def charge_from_json(stored: Mapping[str, object]) -> Charge:
    """The charge that `charge_json` wrote."""
    return parse_charge(
        model=stored["model"],
        unit_price=stored["unit_price"],
        tiers=stored["tiers"],
        flat_fee=stored["flat_fee"],
        minimum_amount=stored["minimum_amount"],
        maximum_amount=stored["maximum_amount"],
        path="charge",
    )


def pricing_model(model: PriceModel) -> PricingModel:
    """What kind of model it is."""
    return _KINDS[type(model)]


def _money_json(amount: Decimal | None) -> str | None:
    return None if amount is None else format_money(amount)


def _tier_json(tier: Tier) -> dict[str, object]:
    up_to = None if tier.up_to is None else _quantity_json(tier.up_to)
    return {"up_to": up_to, "unit_amount": format_unit_price(tier.unit_amount)}


def _quantity_json(quantity: Decimal) -> int | str:
    """Published clients read limits as integers; only a fraction needs text to stay exact."""
    whole = int(quantity)
    return whole if whole == quantity else format_decimal(quantity)


def parse_price_model(*, model: object, unit_price: object, tiers: object, path: str) -> PriceModel:
    """The price that a client described; `path` begins the names of its fields.

    Takes the legacy forms of the contract page too; None and "" mean absent, unknown keys and a
    field that the model has no use for are passed over. Raises DomainError naming all faults.
    """
    form = _Form(path)
    parsed = _read_model(form, model, unit_price, tiers)
    if parsed is None or form.faults:
        raise invalid(form.faults)
    return parsed


def parse_charge(
    *,
    model: object,
    unit_price: object,
    tiers: object,
    flat_fee: object,
    minimum_amount: object,
    maximum_amount: object,
    path: str,
) -> Charge:
    """The charge that a client described, as `parse_price_model` reads its model.

    Raises DomainError naming all faults.
    """
    form = _Form(path)
    parsed = _read_model(form, model, unit_price, tiers)
    fee = form.money("flat_fee", flat_fee) or _ZERO
    minimum = form.money("minimum_amount", minimum_amount)
    maximum = form.money("maximum_amount", maximum_amount)
    form.check_bounds(minimum, maximum)
    if parsed is None or form.faults:
        raise invalid(form.faults)
    return Charge(parsed, fee, minimum, maximum)


def _read_model(
    form: "_Form", model: object, unit_price: object, tiers: object
) -> PriceModel | None:
    kind = form.model(model)
    return None if kind is None else _read(form, kind, unit_price, tiers)


def _read(
    form: "_Form", kind: PricingModel, unit_price: object, tiers: object
) -> PriceModel | None:
    match kind:
        case PricingModel.FLAT_UNIT:
            return FlatUnit(form.unit_price("unit_price", unit_price))
        case PricingModel.TIERED | PricingModel.VOLUME | PricingModel.WEIGHTED_TIERED:
            return _read_tiered(form, kind, tiers)
        case PricingModel.PACKAGE:
            return form.package(unit_price, tiers)
        case PricingModel.OVERAGE:
            return form.overage(unit_price, tiers)
        case PricingModel.PERCENTAGE:
            return form.percentage(tiers)


def _read_tiered(form: "_Form", kind: PricingModel, tiers: object) -> PriceModel:
    if kind is PricingModel.TIERED:
        return Tiered(form.tiers(tiers))
    if kind is PricingModel.VOLUME:
        return Volume(form.tiers(tiers))
    return WeightedTiered(form.tiers(tiers))


class _Form:
    """Reads what a client sent and collects the faults, so that all are reported at once.

    A faulty number reads as 0, and a faulty object as None: neither outlives the faults.
    """

    def __init__(self, path: str) -> None:
        self._prefix = f"{path}." if path else ""
        self.faults: dict[str, str] = {}

    def model(self, value: object) -> PricingModel | None:
        known = {**{str(model): model for model in PricingModel}, **MODEL_ALIASES}
        if isinstance(value, str) and value in known:
            return known[value]
        self._fault("model", f"must be one of {', '.join(known)}")
        return None

    def unit_price(self, name: str, value: object, default: Decimal | None = None) -> Decimal:
        return self._number(name, value, UNIT_PRICE_PLACES, default)

    def tiers(self, value: object) -> tuple[Tier, ...]:
        rows = self._rows(value)
        tiers: list[Tier] = []
        below = _ZERO
        for index, row in enumerate(rows):
            name = f"tiers[{index}]"
            fields = self._object(name, row)
            if fields is None:
                continue
            is_last = index + 1 == len(rows)
            up_to = self._up_to(f"{name}.up_to", fields.get("up_to"), below, is_last=is_last)
            below = below if up_to is None else max(below, up_to)
            rate = self.unit_price(f"{name}.unit_amount", fields.get("unit_amount"))
            tiers.append(Tier(up_to, rate))
        return tuple(tiers)

    def package(self, unit_price: object, tiers: object) -> Package | None:
        fields = self._object("tiers", {} if tiers is None else tiers)
        if fields is None:
            return None
        round_up = fields.get("round_up_partial_block")
        if round_up is not None and not isinstance(round_up, bool):
            self._fault("tiers.round_up_partial_block", "must be true or false")
        return Package(
            package_size=self._positive("tiers.package_size", fields.get("package_size")),
            package_price=self._price_or_legacy("package_price", fields, unit_price),
            round_up_partial_block=round_up is not False,
        )

    def overage(self, unit_price: object, tiers: object) -> Overage | None:
        if isinstance(tiers, list):
            return self._overage_from_tiers(cast("list[object]", tiers))
        fields = self._object("tiers", {} if tiers is None else tiers)
        if fields is None:
            return None
        included = fields.get("included_units")
        return Overage(
            included_units=self._number("tiers.included_units", included, QUANTITY_PLACES, _ZERO),
            base_price=self.unit_price("tiers.base_price", fields.get("base_price"), _ZERO),
            overage_price=self._price_or_legacy("overage_price", fields, unit_price),
        )

    def percentage(self, tiers: object) -> Percentage | None:
        fields = self._object("tiers", {} if tiers is None else tiers)
        if fields is None:
            return None
        return Percentage(
            rate=self.unit_price("tiers.rate", fields.get("rate")),
            fixed=self.unit_price("tiers.fixed", fields.get("fixed"), _ZERO),
        )

    def money(self, name: str, value: object) -> Decimal | None:
        return None if _is_absent(value) else self._number(name, value, MONEY_PLACES)

    def check_bounds(self, minimum: Decimal | None, maximum: Decimal | None) -> None:
        if minimum is None or maximum is None or maximum >= minimum:
            return
        # A minimum that is faulty counts as 0 or less, which no sound maximum is below.
        if self._is_sound("maximum_amount"):
            self._fault("maximum_amount", "must not be below minimum_amount")

    def _overage_from_tiers(self, rows: list[object]) -> Overage | None:
        """The legacy list: what is included at 0, then the rate beyond."""
        if len(rows) != _OVERAGE_TIERS:
            self._fault("tiers", "must have two tiers: the included units, then the rest")
            return None
        tiers = self.tiers(rows)
        if self.faults:
            return None
        included, beyond = tiers
        if included.unit_amount:
            message = "must be 0 in the tier of included units; base_price charges for them"
            self._fault("tiers[0].unit_amount", message)
        return Overage(included.up_to or _ZERO, _ZERO, beyond.unit_amount)

    def _rows(self, value: object) -> list[object]:
        if value is None or value == []:
            self._fault("tiers", "must have at least one tier")
            return []
        if not isinstance(value, list):
            self._fault("tiers", "must be a list of tiers")
            return []
        rows = cast("list[object]", value)
        if len(rows) > TIERS_MAX:
            self._fault("tiers", f"must have at most {TIERS_MAX} tiers")
            return []
        return rows

    def _up_to(self, name: str, value: object, below: Decimal, *, is_last: bool) -> Decimal | None:
        if value is None or is_last:
            if value is not None:
                self._fault(name, "must be null in the last tier")
            elif not is_last:
                self._fault(name, "may be null in the last tier only")
            return None
        up_to = self._number(name, value, QUANTITY_PLACES)
        if up_to <= below and self._is_sound(name):
            self._fault(name, "must be greater than in the tier before")
        return up_to

    def _price_or_legacy(self, key: str, fields: dict[str, object], unit_price: object) -> Decimal:
        """The price under `key`, or where older clients put it: in `unit_price`."""
        if _is_absent(fields.get(key)) and not _is_absent(unit_price):
            return self.unit_price("unit_price", unit_price)
        return self.unit_price(f"tiers.{key}", fields.get(key))

    def _positive(self, name: str, value: object) -> Decimal:
        number = self._number(name, value, QUANTITY_PLACES)
        if not number and self._is_sound(name):
            self._fault(name, "must be greater than 0")
        return number

    def _number(
        self, name: str, value: object, places: int, default: Decimal | None = None
    ) -> Decimal:
        if _is_absent(value):
            if default is None:
                self._fault(name, "is required")
            return default or _ZERO
        try:
            number = parse_decimal(value, places=places)
        except ValueError as error:
            self._fault(name, str(error))
            return _ZERO
        if number < 0:
            self._fault(name, "must not be negative")
        return number

    def _object(self, name: str, value: object) -> dict[str, object] | None:
        if isinstance(value, dict):
            return cast("dict[str, object]", value)
        self._fault(name, "must be an object")
        return None

    def _fault(self, name: str, message: str) -> None:
        self.faults[self._prefix + name] = message

    def _is_sound(self, name: str) -> bool:
        return self._prefix + name not in self.faults


def _is_absent(value: object) -> bool:
    return value is None or value == ""
