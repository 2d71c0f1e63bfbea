//! Contains the texts in Dutch, as used in Belgium.

use super::{Hints, Labels, Notice, Problems, Texts};

pub(super) const TEXTS: Texts = Texts {
    back_to_shop: "Terug naar de winkel",
    hand_off: Notice {
        title: "Naar Bancontact",
        text: "We brengen u naar de betaalpagina van Bancontact. Gebeurt er niets? Druk dan op de knop.",
    },
    hand_off_button: "Verder naar Bancontact",
    waiting: Notice {
        title: "Een ogenblik geduld",
        text: "We leggen de verbinding met Bancontact. Het gaat vanzelf verder; u hoeft niets te doen.",
    },
    waiting_for_result: Notice {
        title: "Een ogenblik geduld",
        text: "We wachten op het resultaat van uw betaling. Deze pagina gaat vanzelf verder; u hoeft niets te doen.",
    },
    waiting_link: "Nu opnieuw proberen",
    redirect_missing: "Bancontact heeft nog niet geantwoord. U kunt hier wachten of teruggaan naar de winkel.",
    clarification: Notice {
        title: "Nog enkele gegevens",
        text: "Bancontact heeft deze gegevens nodig om uw betaling te starten.",
    },
    clarification_button: "Verder",
    clarification_problems: "Kijk de aangeduide velden nog eens na.",
    clarification_not_sent: "Uw gegevens zijn nog niet verzonden, omdat er nu veel mensen betalen. Wacht even en druk dan opnieuw op Verder.",
    clarification_no_answer: "Bancontact heeft de ontvangst van uw gegevens niet bevestigd. Druk op Verder om ze opnieuw te verzenden.",
    data_missing: Notice {
        title: "Er ontbreken gegevens",
        text: "Bancontact heeft meer gegevens nodig om deze betaling te starten. Ga terug naar de winkel om verder te gaan.",
    },
    being_checked: Notice {
        title: "Uw betaling wordt nagekeken",
        text: "Het is nog niet zeker of uw betaling gelukt is. Betaal niet opnieuw; de winkel laat u iets weten.",
    },
    declined: Notice {
        title: "De betaling is geweigerd",
        text: "Deze betaling is niet uitgevoerd. U kunt het in de winkel opnieuw proberen.",
    },
    failed: Notice {
        title: "De betaling is niet gestart",
        text: "Er ging iets mis voordat u kon betalen. U kunt het in de winkel opnieuw proberen.",
    },
    expired: Notice {
        title: "Deze betaallink is verlopen",
        text: "De tijd om te betalen is voorbij. U kunt in de winkel opnieuw beginnen.",
    },
    unknown_token: Notice {
        title: "Onbekende betaallink",
        text: "We kennen deze betaallink niet. Kijk na of het adres volledig is, of ga terug naar de winkel.",
    },
    unavailable: Notice {
        title: "Even niet beschikbaar",
        text: "Deze pagina is op dit ogenblik niet beschikbaar. We proberen het vanzelf opnieuw. Duurt het te lang? Dan kunt u teruggaan naar de winkel.",
    },
    labels: Labels {
        last_name: "Achternaam",
        first_name: "Voornaam",
        middle_name: "Tweede voornaam",
        email: "E-mailadres",
        phone: "Telefoonnummer",
        address: "Straat en huisnummer",
        city: "Gemeente",
        state: "Provincie",
        postal_code: "Postcode",
        country: "Land",
        day_of_birth: "Geboortedatum",
        billing: "factuuradres",
        optional: "optioneel",
    },
    hints: Hints {
        phone: "Met landcode, bijvoorbeeld +32 470 12 34 56",
        country: "De twee letters van het land, bijvoorbeeld BE",
    },
    problems: Problems {
        missing: "Vul dit veld in.",
        too_short: "Vul minstens {} tekens in.",
        too_long: "Vul hoogstens {} tekens in.",
        forbidden_character: "Gebruik geen puntkomma of andere bijzondere tekens.",
        email: "Vul een volledig e-mailadres in, zoals naam@voorbeeld.be.",
        phone: "Vul een telefoonnummer van 4 tot 24 cijfers in.",
        country: "Vul de twee letters van het land in, bijvoorbeeld BE.",
        day_of_birth: "Vul een bestaande datum in, bijvoorbeeld 31-12-1990.",
    },
};
