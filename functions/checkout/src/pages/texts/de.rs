//! Contains the texts in German.

use super::{Hints, Labels, Notice, Problems, Texts};

pub(super) const TEXTS: Texts = Texts {
    back_to_shop: "Zurück zum Shop",
    hand_off: Notice {
        title: "Weiter zu Bancontact",
        text: "Wir leiten Sie zur Zahlungsseite von Bancontact weiter. Falls nichts geschieht, drücken Sie bitte auf die Schaltfläche.",
    },
    hand_off_button: "Weiter zu Bancontact",
    waiting: Notice {
        title: "Einen Moment bitte",
        text: "Wir stellen die Verbindung zu Bancontact her. Es geht von selbst weiter; Sie müssen nichts tun.",
    },
    waiting_for_result: Notice {
        title: "Einen Moment bitte",
        text: "Wir warten auf das Ergebnis Ihrer Zahlung. Diese Seite macht von selbst weiter; Sie müssen nichts tun.",
    },
    waiting_link: "Jetzt erneut versuchen",
    redirect_missing: "Bancontact hat noch nicht geantwortet. Sie können hier warten oder zum Shop zurückkehren.",
    clarification: Notice {
        title: "Noch einige Angaben",
        text: "Bancontact benötigt diese Angaben, um Ihre Zahlung zu starten.",
    },
    clarification_button: "Weiter",
    clarification_problems: "Bitte prüfen Sie die markierten Felder.",
    clarification_not_sent: "Ihre Angaben wurden noch nicht gesendet, weil gerade viele Personen zahlen. Bitte warten Sie einen Moment und drücken Sie dann erneut auf Weiter.",
    clarification_no_answer: "Bancontact hat den Empfang Ihrer Angaben nicht bestätigt. Bitte drücken Sie auf Weiter, um sie erneut zu senden.",
    data_missing: Notice {
        title: "Es fehlen Angaben",
        text: "Bancontact benötigt weitere Angaben, um diese Zahlung zu starten. Bitte gehen Sie zurück zum Shop, um fortzufahren.",
    },
    being_checked: Notice {
        title: "Ihre Zahlung wird geprüft",
        text: "Es ist noch nicht sicher, ob Ihre Zahlung erfolgreich war. Bitte zahlen Sie nicht noch einmal; der Shop gibt Ihnen Bescheid.",
    },
    declined: Notice {
        title: "Die Zahlung wurde abgelehnt",
        text: "Diese Zahlung wurde nicht ausgeführt. Sie können es im Shop erneut versuchen.",
    },
    failed: Notice {
        title: "Die Zahlung wurde nicht gestartet",
        text: "Es ist ein Fehler aufgetreten, bevor Sie zahlen konnten. Sie können es im Shop erneut versuchen.",
    },
    expired: Notice {
        title: "Dieser Zahlungslink ist abgelaufen",
        text: "Die Zeit zum Bezahlen ist vorbei. Sie können im Shop neu beginnen.",
    },
    unknown_token: Notice {
        title: "Unbekannter Zahlungslink",
        text: "Wir kennen diesen Zahlungslink nicht. Bitte prüfen Sie, ob die Adresse vollständig ist, oder gehen Sie zurück zum Shop.",
    },
    unavailable: Notice {
        title: "Zurzeit nicht verfügbar",
        text: "Diese Seite ist im Moment nicht verfügbar. Wir versuchen es von selbst erneut. Wenn es zu lange dauert, können Sie zum Shop zurückkehren.",
    },
    labels: Labels {
        last_name: "Nachname",
        first_name: "Vorname",
        middle_name: "Zweiter Vorname",
        email: "E-Mail-Adresse",
        phone: "Telefonnummer",
        address: "Straße und Hausnummer",
        city: "Ort",
        state: "Bundesland oder Provinz",
        postal_code: "Postleitzahl",
        country: "Land",
        day_of_birth: "Geburtsdatum",
        billing: "Rechnungsadresse",
        optional: "optional",
    },
    hints: Hints {
        phone: "Mit Landesvorwahl, zum Beispiel +32 470 12 34 56",
        country: "Die zwei Buchstaben des Landes, zum Beispiel BE",
    },
    problems: Problems {
        missing: "Bitte füllen Sie dieses Feld aus.",
        too_short: "Bitte geben Sie mindestens {} Zeichen ein.",
        too_long: "Bitte geben Sie höchstens {} Zeichen ein.",
        forbidden_character: "Bitte verwenden Sie kein Semikolon und keine anderen Sonderzeichen.",
        email: "Bitte geben Sie eine vollständige E-Mail-Adresse ein, wie name@beispiel.be.",
        phone: "Bitte geben Sie eine Telefonnummer mit 4 bis 24 Ziffern ein.",
        country: "Bitte geben Sie die zwei Buchstaben des Landes ein, zum Beispiel BE.",
        day_of_birth: "Bitte geben Sie ein gültiges Datum ein, zum Beispiel 31-12-1990.",
    },
};
