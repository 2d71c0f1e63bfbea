//! What a signature covers, and what it does not.

use proptest::prelude::*;
use proptest::sample::Index;

use super::cases;
use super::message::*;

proptest! {
    #![proptest_config(cases(500, 100_000))]

    #[test]
    fn a_reformatted_message_is_the_same_message(
        message in messages(), one in any::<u64>(), other in any::<u64>(),
    ) {
        let signature = sign(&message);
        let mut strings = vec![reference_string(&message)];
        for seed in [one, other] {
            let json = spell(&message, &mut Choices(seed));
            prop_assert!(same(&read(&json).unwrap(), &message), "{json}");
            strings.push(canonical_of_json(&json));

            let signed = spell_signed(&message, &signature, &mut Choices(seed));
            prop_assert_eq!(&canonical_of_json(&signed), &strings[0]);
            prop_assert!(verifies(&signed), "{signed}");
        }
        prop_assert_eq!(&strings[0], &strings[1]);
        prop_assert_eq!(&strings[1], &strings[2]);
    }

    #[test]
    fn a_changed_scalar_is_refused_unless_its_line_stays_the_same(
        message in messages(), at in any::<Index>(), new in scalars(), seed in any::<u64>(),
    ) {
        let mut message = message;
        // One scalar at least.
        if let Node::Object(members) = &mut message {
            members.retain(|(key, _)| key != "amount");
            members.push(("amount".into(), Node::Integer(1000)));
        }
        let signature = sign(&message);
        let before = canonical_of_node(&message);
        let mut changed = message;
        let mut found = Vec::new();
        scalars_of(&mut changed, &mut found);
        let at = at.index(found.len());
        let same_line = signed_text(found[at]) == signed_text(&new);
        *found[at] = new;

        prop_assert_eq!(canonical_of_node(&changed) == before, same_line);
        let json = spell_signed(&changed, &signature, &mut Choices(seed));
        prop_assert_eq!(verifies(&json), same_line, "{}", json);
    }

    #[test]
    fn changes_that_the_signature_does_not_see_leave_the_string_alone(
        message in messages(), seed in any::<u64>(),
    ) {
        let changed = change_unseen(&message, &mut Choices(seed));
        prop_assert_eq!(canonical_of_node(&changed), canonical_of_node(&message), "{:?}", changed);
    }
}
