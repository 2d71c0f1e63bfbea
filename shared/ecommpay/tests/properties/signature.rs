//! Tests which changes of a message the signature covers, and which changes it does not cover.

use ecommpay::signature::may_be_reframed;
use proptest::prelude::*;
use proptest::sample::Index;

use super::cases;
use super::changes::{change_uncovered, restructured, split_at_colons};
use super::message::*;

proptest! {
    #![proptest_config(cases(500, 100_000))]

    #[test]
    fn a_reformatted_message_has_the_same_value_and_the_same_signature(
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
    fn lines_are_sorted_by_path_and_equal_paths_stay_in_the_order_of_the_message(
        message in ambiguous_messages(),
    ) {
        prop_assert_eq!(canonical_of_node(&message), reference_string(&message), "{:?}", message);
    }

    #[test]
    fn a_changed_scalar_is_refused_unless_the_canonical_string_is_the_same(
        message in messages(), at in any::<Index>(), new in scalars(), seed in any::<u64>(),
    ) {
        let mut message = message;
        // The message must have at least one scalar.
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
    fn a_restructured_message_is_refused_unless_its_canonical_string_is_the_same(
        message in messages(), seed in any::<u64>(),
    ) {
        let changed = restructured(&message, &mut Choices(seed));
        let same_string = reference_string(&changed) == reference_string(&message);
        let json = spell_signed(&changed, &sign(&message), &mut Choices(0));
        prop_assert_eq!(verifies(&json), same_string, "{}", json);
    }

    #[test]
    fn an_integer_changed_to_an_equal_fraction_is_marked_as_reframed_and_another_number_is_refused(
        message in messages(),
        at in any::<Index>(),
        number in -10_000_000_000_000..10_000_000_000_000_i64,
    ) {
        let with = |node: Node| {
            let mut message = message.clone();
            if let Node::Object(members) = &mut message {
                members.retain(|(key, _)| key != "amount");
                members.push(("amount".into(), Node::Null));
            }
            let mut found = Vec::new();
            scalars_of(&mut message, &mut found);
            let at = at.index(found.len());
            *found[at] = node;
            message
        };
        let signature = sign(&with(Node::Integer(number)));
        let json = |node| spell_signed(&with(node), &signature, &mut Choices(0));
        let fraction = json(Node::Fraction(number));
        prop_assert!(verifies(&fraction), "{fraction}");
        prop_assert!(may_be_reframed(&read(&fraction).unwrap()), "{fraction}");
        for other in [Node::Fraction(number + 1), Node::Integer(number + 1)] {
            let json = json(other);
            prop_assert!(!verifies(&json), "{json}");
        }
    }

    #[test]
    fn an_uncovered_change_does_not_change_the_canonical_string(
        message in messages(), seed in any::<u64>(),
    ) {
        let changed = change_uncovered(&message, &mut Choices(seed));
        prop_assert_eq!(canonical_of_node(&changed), canonical_of_node(&message), "{:?}", changed);

        // The part of a text before a colon moves into the path. The signature covers this change only if the order of
        // the lines changes.
        let split = split_at_colons(&message, &mut Choices(seed));
        prop_assert_eq!(
            canonical_of_node(&split) == canonical_of_node(&message),
            reference_string(&split) == reference_string(&message),
            "{:?}", split
        );
    }
}
