//! Changes messages: with changes that the signature covers, and with changes that it does not cover.

use super::message::*;

/// Makes random changes to `node` that the signature does not cover.
pub fn change_uncovered(node: &Node, choices: &mut Choices) -> Node {
    match node {
        Node::Array(elements) => {
            let mut elements: Vec<Node> = elements
                .iter()
                .map(|element| change_uncovered(element, choices))
                .collect();
            // Removes elements only at the end, because otherwise the indices of other elements would change.
            while matches!(elements.last(), Some(last) if is_empty(last)) && choices.one_in(2) {
                elements.pop();
            }
            if choices.one_in(3) {
                elements.push(empty(choices));
            }
            if !choices.one_in(2) {
                return Node::Array(elements);
            }
            let members = elements.into_iter().enumerate();
            Node::Object(
                members
                    .map(|(index, each)| (index.to_string(), each))
                    .collect(),
            )
        }
        Node::Object(members) => {
            let mut changed: Vec<(String, Node)> = Vec::new();
            for (key, member) in members {
                let member = change_uncovered(member, choices);
                if !(is_empty(&member) && choices.one_in(2)) {
                    changed.push((key.clone(), member));
                }
            }
            for unsigned in ["frame_mode", "signature"] {
                if choices.one_in(3) {
                    changed.push((unsigned.into(), anything(choices)));
                }
            }
            if choices.one_in(3) && changed.iter().all(|(key, _)| key != "empty") {
                changed.push(("empty".into(), empty(choices)));
            }
            as_array(&changed)
                .filter(|_| choices.one_in(2))
                .unwrap_or(Node::Object(changed))
        }
        scalar => {
            let spellings = match signed_text(scalar).as_str() {
                "" => vec![Node::Null],
                "0" => vec![Node::Bool(false), Node::Integer(0)],
                "1" => vec![Node::Bool(true), Node::Integer(1)],
                text => {
                    let number = text.parse().ok().map(Node::Integer);
                    let number = number.filter(|number| signed_text(number) == text);
                    number.into_iter().collect()
                }
            };
            let text = Node::Text(signed_text(scalar));
            let spellings: Vec<Node> = [scalar.clone(), text]
                .into_iter()
                .chain(spellings)
                .collect();
            spellings[choices.below(spellings.len())].clone()
        }
    }
}

/// Returns the array that has the same canonical string as an object with the keys 0, 1, 2 and so on.
fn as_array(members: &[(String, Node)]) -> Option<Node> {
    let member = |index: usize| members.iter().find(|(key, _)| *key == index.to_string());
    let elements: Option<Vec<Node>> = (0..members.len())
        .map(|index| member(index).map(|(_, node)| node.clone()))
        .collect();
    elements.map(Node::Array)
}

/// Returns whether a node adds nothing to the canonical string.
fn is_empty(node: &Node) -> bool {
    match node {
        Node::Array(elements) => elements.iter().all(is_empty),
        Node::Object(members) => members.iter().all(|(_, member)| is_empty(member)),
        _ => false,
    }
}

fn empty(choices: &mut Choices) -> Node {
    match choices.below(4) {
        0 => Node::Array(vec![]),
        1 => Node::Object(vec![]),
        2 => Node::Array(vec![empty(choices)]),
        _ => Node::Object(vec![("empty".into(), empty(choices))]),
    }
}

fn anything(choices: &mut Choices) -> Node {
    match choices.below(4) {
        0 => Node::Text("x".into()),
        1 => Node::Null,
        2 => Node::Array(vec![Node::Integer(7), Node::Bool(true)]),
        _ => Node::Object(vec![("key".into(), Node::Integer(7))]),
    }
}

/// Changes one array or object. A member or an element is added, removed, renamed, moved to the top level, swapped with
/// another one, or replaced with another kind of value.
pub fn restructured(message: &Node, choices: &mut Choices) -> Node {
    let mut changed = message.clone();
    let mut left = Some(choices.below(collections_in(message)));
    let mut moved = None;
    change_one(&mut changed, &mut left, choices, &mut moved);
    if let (Some(moved), Node::Object(members)) = (moved, &mut changed) {
        members.push((unused(members), moved));
    }
    changed
}

fn collections_in(node: &Node) -> usize {
    match node {
        Node::Array(elements) => 1 + elements.iter().map(collections_in).sum::<usize>(),
        Node::Object(members) => {
            let below = members.iter().map(|(_, member)| collections_in(member));
            1 + below.sum::<usize>()
        }
        _ => 0,
    }
}

fn change_one(
    node: &mut Node,
    left: &mut Option<usize>,
    choices: &mut Choices,
    moved: &mut Option<Node>,
) {
    let is_collection = matches!(node, Node::Array(_) | Node::Object(_));
    match left {
        None => return,
        Some(0) if is_collection => {
            *left = None;
            return change(node, choices, moved);
        }
        Some(left) => *left -= usize::from(is_collection),
    }
    match node {
        Node::Array(elements) => {
            for element in elements {
                change_one(element, left, choices, moved);
            }
        }
        Node::Object(members) => {
            for (_, member) in members {
                change_one(member, left, choices, moved);
            }
        }
        _ => {}
    }
}

fn change(collection: &mut Node, choices: &mut Choices, moved: &mut Option<Node>) {
    match collection {
        Node::Array(elements) => {
            if elements.is_empty() {
                return elements.push(Node::Integer(7));
            }
            let (at, other) = (choices.below(elements.len()), choices.below(elements.len()));
            match choices.below(5) {
                0 => elements.insert(at, Node::Integer(7)),
                1 => drop(elements.remove(at)),
                2 => *moved = Some(elements.remove(at)),
                3 => elements.swap(at, other),
                _ => change_kind(&mut elements[at], choices),
            }
        }
        Node::Object(members) => {
            let new = unused(members);
            if members.is_empty() {
                return members.push((new, Node::Integer(7)));
            }
            let (at, other) = (choices.below(members.len()), choices.below(members.len()));
            match choices.below(6) {
                0 => members.push((new, Node::Integer(7))),
                1 => drop(members.remove(at)),
                2 => *moved = Some(members.remove(at).1),
                3 => members[at].0 = new,
                4 => {
                    let (one, another) = (members[at].1.clone(), members[other].1.clone());
                    members[at].1 = another;
                    members[other].1 = one;
                }
                _ => change_kind(&mut members[at].1, choices),
            }
        }
        _ => unreachable!("not a collection"),
    }
}

/// Replaces a text with an object, a collection with a text, and any other scalar with a list. If the text has a colon,
/// the object can be the text split at the colon.
fn change_kind(node: &mut Node, choices: &mut Choices) {
    *node = match &*node {
        Node::Text(text) => match text.split_once(':') {
            Some((key, rest)) if choices.one_in(2) => {
                Node::Object(vec![(key.into(), Node::Text(rest.into()))])
            }
            _ => Node::Object(vec![("text".into(), Node::Text(text.clone()))]),
        },
        Node::Object(_) | Node::Array(_) => Node::Text("7".into()),
        scalar => Node::Array(vec![scalar.clone()]),
    };
}

/// Returns a key that no member has.
fn unused(members: &[(String, Node)]) -> String {
    let mut key = String::from("new");
    while members.iter().any(|(own, _)| *own == key) {
        key.push('_');
    }
    key
}

/// Replaces some texts with a colon by objects. The part before the colon becomes the key.
pub fn split_at_colons(node: &Node, choices: &mut Choices) -> Node {
    match node {
        Node::Array(elements) => {
            let split = elements.iter().map(|each| split_at_colons(each, choices));
            Node::Array(split.collect())
        }
        Node::Object(members) => {
            let split = members
                .iter()
                .map(|(key, each)| (key.clone(), split_at_colons(each, choices)));
            Node::Object(split.collect())
        }
        Node::Text(text) => match text.split_once(':') {
            Some((key, rest)) if choices.one_in(2) => {
                Node::Object(vec![(key.into(), Node::Text(rest.into()))])
            }
            _ => node.clone(),
        },
        scalar => scalar.clone(),
    }
}
