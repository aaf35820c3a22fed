"""Sentences for synthetic speech: from the text corpus, and made up around names, places, medicines and companies.

One sentence in fifty, by its hash, is for development sets only.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import re
from dataclasses import dataclass
from pathlib import Path

from faker import Faker
from unidecode import unidecode

from corpus import normalise

SOURCES = {"dialogue": 0.28, "earnings": 0.19, "command": 0.02, "prose": 0.26}
"""Shares of the text corpus' parts; the rest is made up around entities."""

LOCALES = (
    "en_US en_GB en_IN de_DE fr_FR it_IT pl_PL es_ES nl_NL pt_BR sv_SE cs_CZ tr_TR hr_HR fi_FI ro_RO"  # names' origins
).split()
DRUG_STEMS = (
    "ator rosu ceta oxy meto levo amlo lisi cipro azi doxy flu ser esci ven dulo gaba prega tram hydro clo ome panto "
    "mont bude sal ipra war apix riva metfor glip sita empa lira sema ada eta infli ritu beva nivo pembro ibru ima daso"
).split()
DRUG_ENDS = (
    "vastatin mycin cillin prazole sartan pril olol dipine oxetine azepam idone mab zumab tinib gliptin gliflozin "
    "glutide formin caine profen parin oxaban triptan setron thiazide cycline floxacin conazole ciclovir lukast"
).split()
DISEASES = (
    "hypertension|atrial fibrillation|osteoporosis|psoriasis|endometriosis|fibromyalgia|sarcoidosis|diverticulitis|"
    "pancreatitis|cholecystitis|hyponatremia|thrombocytopenia|neuropathy|glaucoma|cardiomyopathy|bronchiectasis|"
    "pyelonephritis|cellulitis|rhabdomyolysis|myasthenia gravis|scleroderma|hemochromatosis|meningioma|osteomyelitis|"
    "vasculitis"
).split("|")
TEMPLATES = (
    "Could you put me through to {name}, please?",
    "My name is {name} and I am calling about my account.",
    "{name} will join the call from {city} tomorrow morning.",
    "The patient was started on {drug} for {disease}.",
    "Please refill my prescription for {drug}, and send it to the pharmacy in {city}.",
    "I spoke with {surname} at {company} last week about the invoice.",
    "Is {name} still working for {company}?",
    "We are flying from {city} to {city2} on Friday.",
    "Doctor {surname} recommended {drug} instead of {drug2}.",
    "The committee heard from {name}, the representative of {city}.",
    "Mister {surname} asked whether the office in {city} had received the contract.",
    "She was diagnosed with {disease} and prescribed {drug}.",
    "This is {name} from {company}. How can I help you today?",
    "Let me check whether {drug} interacts with {drug2}.",
    "Directions to {city}, please.",
    "Call {name} and tell {surname} we are running late.",
    "The minister from {city}, {name}, disagreed with Commissioner {surname}.",
    "{company} acquired {company2} for an undisclosed sum.",
    "Send the report to {name} and copy {name2}.",
    "Turn left at {surname} Street and continue to {city}.",
)


@dataclass(frozen=True)
class Prompt:
    text: str
    domain: str
    entities: tuple[str, ...] = ()


def held_out(sentence: str) -> bool:
    """Whether a sentence is for development sets only."""
    return int(hashlib.md5(sentence.encode()).hexdigest(), 16) % 50 == 0


class Prompts:
    def __init__(self, folder: Path, rng: random.Random, development: bool, only_entities: bool) -> None:
        self.rng = rng
        self.only_entities = only_entities
        self.sentences: dict[str, list[str]] = {}
        for name in SOURCES:
            with gzip.open(folder / f"{name}.txt.gz", "rt") as lines:
                self.sentences[name] = [s for s in lines.read().splitlines() if held_out(s) == development]
        self.fakers = [Faker(locale) for locale in LOCALES]
        for faker in self.fakers:
            faker.seed_instance(rng.random())

    def next(self) -> Prompt:
        draw = 1.0 if self.only_entities else self.rng.random()
        for name, share in SOURCES.items():
            draw -= share
            if draw < 0:
                return Prompt(self._sentences(name), name)
        return self._around_entities()

    def _sentences(self, source: str) -> str:
        text = self.rng.choice(self.sentences[source])
        while len(text.split()) < 6 and self.rng.random() < 0.6:
            text += " " + self.rng.choice(self.sentences[source])
        return text

    def _plain(self, name: str) -> str:
        return unidecode(name).replace("-", " ")

    def _around_entities(self) -> Prompt:
        rng = self.rng

        def faker() -> Faker:
            return rng.choice(self.fakers)

        def name() -> str:
            origin = faker()
            return self._plain(f"{origin.first_name()} {origin.last_name()}")

        def drug() -> str:
            return rng.choice(DRUG_STEMS) + rng.choice(DRUG_ENDS)

        def company() -> str:
            return re.sub(r"[^A-Za-z ]", " ", self.fakers[0].company())

        slots = {
            "name": name(),
            "name2": name(),
            "surname": self._plain(faker().last_name()),
            "city": self._plain(faker().city()),
            "city2": self._plain(faker().city()),
            "drug": drug(),
            "drug2": drug(),
            "disease": rng.choice(DISEASES),
            "company": company(),
            "company2": company(),
        }
        template = rng.choice(TEMPLATES)
        text = re.sub(r"\s+", " ", template.format(**slots))
        return Prompt(text, "entity", tuple(normalise(v) for k, v in slots.items() if f"{{{k}}}" in template))
