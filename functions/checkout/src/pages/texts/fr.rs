//! Contains the texts in French, as used in Belgium.

use super::{Hints, Labels, Notice, Problems, Texts};

pub(super) const TEXTS: Texts = Texts {
    back_to_shop: "Retour à la boutique",
    hand_off: Notice {
        title: "Vers Bancontact",
        text: "Nous vous dirigeons vers la page de paiement de Bancontact. Si rien ne se passe, appuyez sur le bouton.",
    },
    hand_off_button: "Continuer vers Bancontact",
    waiting: Notice {
        title: "Un instant, s’il vous plaît",
        text: "Nous établissons la connexion avec Bancontact. La suite est automatique\u{a0}: vous n’avez rien à faire.",
    },
    waiting_for_result: Notice {
        title: "Un instant, s’il vous plaît",
        text: "Nous attendons le résultat de votre paiement. Cette page continue d’elle-même\u{a0}; vous n’avez rien à faire.",
    },
    waiting_link: "Réessayer maintenant",
    redirect_missing: "Bancontact n’a pas encore répondu. Vous pouvez attendre ici ou retourner à la boutique.",
    clarification: Notice {
        title: "Encore quelques informations",
        text: "Bancontact a besoin de ces informations pour démarrer votre paiement.",
    },
    clarification_button: "Continuer",
    clarification_problems: "Veuillez vérifier les champs indiqués.",
    clarification_not_sent: "Vos informations n’ont pas encore été envoyées, car beaucoup de personnes paient en ce moment. Patientez un instant, puis appuyez de nouveau sur Continuer.",
    clarification_no_answer: "Bancontact n’a pas confirmé la réception de vos informations. Appuyez sur Continuer pour les envoyer de nouveau.",
    data_missing: Notice {
        title: "Il manque des informations",
        text: "Bancontact a besoin de plus d’informations pour démarrer ce paiement. Veuillez retourner à la boutique pour continuer.",
    },
    being_checked: Notice {
        title: "Votre paiement est en cours de vérification",
        text: "Nous ne savons pas encore si votre paiement a abouti. Ne payez pas une deuxième fois\u{a0}: la boutique vous tiendra au courant.",
    },
    declined: Notice {
        title: "Le paiement a été refusé",
        text: "Ce paiement n’a pas été effectué. Vous pouvez réessayer dans la boutique.",
    },
    failed: Notice {
        title: "Le paiement n’a pas pu démarrer",
        text: "Un problème est survenu avant que vous puissiez payer. Vous pouvez réessayer dans la boutique.",
    },
    expired: Notice {
        title: "Ce lien de paiement a expiré",
        text: "Le délai pour payer est dépassé. Vous pouvez recommencer dans la boutique.",
    },
    unknown_token: Notice {
        title: "Lien de paiement inconnu",
        text: "Nous ne connaissons pas ce lien de paiement. Vérifiez que l’adresse est complète, ou retournez à la boutique.",
    },
    unavailable: Notice {
        title: "Momentanément indisponible",
        text: "Cette page n’est pas disponible pour le moment. Nous réessayons automatiquement. Si l’attente est trop longue, vous pouvez retourner à la boutique.",
    },
    labels: Labels {
        last_name: "Nom de famille",
        first_name: "Prénom",
        middle_name: "Deuxième prénom",
        email: "Adresse e-mail",
        phone: "Numéro de téléphone",
        address: "Rue et numéro",
        city: "Localité",
        state: "Province",
        postal_code: "Code postal",
        country: "Pays",
        day_of_birth: "Date de naissance",
        billing: "adresse de facturation",
        optional: "facultatif",
    },
    hints: Hints {
        phone: "Avec l’indicatif du pays, par exemple +32 470 12 34 56",
        country: "Les deux lettres du pays, par exemple BE",
    },
    problems: Problems {
        missing: "Veuillez remplir ce champ.",
        too_short: "Veuillez saisir au moins {} caractères.",
        too_long: "Veuillez saisir au plus {} caractères.",
        forbidden_character: "Veuillez ne pas utiliser de point-virgule ni d’autres caractères spéciaux.",
        email: "Veuillez saisir une adresse e-mail complète, comme nom@exemple.be.",
        phone: "Veuillez saisir un numéro de téléphone de 4 à 24 chiffres.",
        country: "Veuillez saisir les deux lettres du pays, par exemple BE.",
        day_of_birth: "Veuillez saisir une date existante, par exemple 31-12-1990.",
    },
};
