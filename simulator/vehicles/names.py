"""Names of fictional people, places and paint colors."""

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.replace("\n", "|").split("|") if word.strip())


FIRST: Final = _words(
    """
    alex|amara|anna|ben|carla|chen|dana|david|elena|emma|farid|grace|hana|hugo|ines|jack|jamal|julia|karim|kate
    lena|leo|lucia|marco|maria|mei|mia|nadia|noah|omar|paula|priya|rosa|sam|sara|sofia|tariq|tom|vera|yuki
    """
)
LAST: Final = _words(
    """
    adams|baker|brown|cruz|diaz|evans|fischer|garcia|hall|ito|jones|kim|lee|lopez|martin|meyer|nguyen|ortiz|park
    patel|reyes|rossi|santos|silva|smith|tanaka|torres|wang|weber|wong|young|zhang
    """
)
STREETS: Final = _words(
    """
    Balboa St|Geary Blvd|Fulton St|Irving St|Judah St|Noriega St|Taraval St|Divisadero St|Fillmore St|Valencia St
    Mission St|Guerrero St|Castro St|Church St|Cortland Ave|San Bruno Ave|Silver Ave|Ocean Ave|Geneva Ave
    Lombard St|Chestnut St|Polk St|Larkin St|California St|Clement St|Hayes St|Oak St|Haight St|Potrero Ave
    """
)
SOMA_STREETS: Final = _words("Howard St|Folsom St|Harrison St|Bryant St|Brannan St|Townsend St")
COLORS: Final = ("White", "Black", "Silver", "Grey", "Blue", "Red", "Green")
