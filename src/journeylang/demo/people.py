"""Who may live where and be called what: the small tables from which customers are drawn."""

from __future__ import annotations

from journeylang.classes import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A share of the customers. `utc_hours` only shapes at what hour they are awake."""

    weight: int
    country: str
    locale: str
    zone: str | None
    utc_hours: int


# Weights add up to 1,000. As in most real tables, some zones are missing and a few are no
# IANA names: those customers live by the binding's `else`.
PLACES = (
    Place(weight=438, country="DE", locale="de-DE", zone="Europe/Berlin", utc_hours=1),
    Place(weight=104, country="AT", locale="de-AT", zone="Europe/Vienna", utc_hours=1),
    Place(weight=62, country="CH", locale="de-CH", zone="Europe/Zurich", utc_hours=1),
    Place(weight=88, country="FR", locale="fr-FR", zone="Europe/Paris", utc_hours=1),
    Place(weight=52, country="ES", locale="es-ES", zone="Europe/Madrid", utc_hours=1),
    Place(weight=12, country="ES", locale="es-ES", zone="Atlantic/Canary", utc_hours=0),
    Place(weight=98, country="GB", locale="en-GB", zone="Europe/London", utc_hours=0),
    Place(weight=40, country="PL", locale="pl-PL", zone="Europe/Warsaw", utc_hours=1),
    Place(weight=20, country="PT", locale="pt-PT", zone="Europe/Lisbon", utc_hours=0),
    Place(weight=20, country="FI", locale="fi-FI", zone="Europe/Helsinki", utc_hours=2),
    Place(weight=34, country="US", locale="en-US", zone="America/New_York", utc_hours=-5),
    Place(weight=12, country="JP", locale="ja-JP", zone="Asia/Tokyo", utc_hours=9),
    Place(weight=17, country="DE", locale="de-DE", zone=None, utc_hours=1),
    Place(weight=2, country="DE", locale="de-DE", zone="Berlin", utc_hours=1),
    Place(weight=1, country="GB", locale="en-GB", zone="GMT+1 (London)", utc_hours=0),
)

FIRST_NAMES = {
    "de": "Anna Ben Clara David Elif Emil Emma Finn Greta Hannah Jonas Jürgen Katrin Lea Leon Lukas"
    " Marie Mehmet Mia Noah Paul Sabine Sophie Stefan Uwe Zoë",
    "fr": "Amélie Antoine Camille Chloé Élodie François Hugo Inès Jules Léa Louise Mathis Noémie"
    " Raphaël",
    "es": "Alba Álvaro Carmen Daniel Íñigo Javier Lucía María Martín Núria Pablo Sofía",
    "en": "Alice Amir Charlotte Daniel Ella Grace Harry Isla Jack James Lily Noah Oliver Priya"
    " Ruby Thomas",
    "pl": "Agnieszka Jakub Kasia Łukasz Małgorzata Paweł Wojciech Zofia",
    "pt": "Beatriz Diogo Inês João Leonor Tomás",
    "fi": "Aino Eero Helmi Onni Päivi Väinö",
    "ja": "Haruto 結衣 Ren 美咲 Sakura 陽翔",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coffee:
    sku: str
    name: str
    category: str
    price: str
    weight: int


# Weights add up to 100.
COFFEES = (
    Coffee(sku="ESP-01", name="House Espresso", category="espresso", price="11.90", weight=22),
    Coffee(
        sku="ESP-02", name="Dark Harbour Espresso", category="espresso", price="12.50", weight=9
    ),
    Coffee(sku="ESP-03", name="Decaf Espresso", category="espresso", price="12.90", weight=7),
    Coffee(sku="FIL-01", name="Morning Filter", category="filter", price="10.90", weight=17),
    Coffee(sku="FIL-02", name="Ethiopia Guji", category="filter", price="15.50", weight=9),
    Coffee(sku="FIL-03", name="Kenya Nyeri", category="filter", price="16.90", weight=6),
    Coffee(sku="FIL-04", name="Colombia Huila", category="filter", price="13.90", weight=9),
    Coffee(sku="FIL-05", name="Guatemala Antigua", category="filter", price="13.50", weight=6),
    Coffee(sku="COL-01", name="Cold Brew Blend", category="cold brew", price="12.90", weight=5),
    Coffee(sku="SET-01", name="Tasting Set", category="set", price="24.90", weight=6),
    Coffee(sku="GER-01", name="Hand Grinder", category="gear", price="59.00", weight=2),
    Coffee(sku="GER-02", name="Paper Filters", category="gear", price="5.90", weight=2),
)

# How many of a hundred visits fall into each local hour: little at night, a peak after supper.
VISITS_BY_HOUR = (1, 0, 0, 0, 0, 0, 2, 4, 6, 6, 6, 6, 7, 6, 5, 5, 5, 6, 7, 8, 9, 7, 3, 1)
