//! Tests that the documents agree with the template, the schemas and the code.
#![allow(clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::files;

/// Returns the cells of the table rows below a heading, up to the next heading.
fn rows(document: &str, heading: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let mut lines = document.lines().skip_while(|line| *line != heading);
    lines
        .next()
        .with_context(|| format!("there is no {heading}"))?;
    let section = lines.take_while(|line| !line.starts_with('#'));
    let rows = section.filter(|line| line.starts_with('|')).map(cells);
    let is_ruler = |row: &Vec<String>| {
        row.iter()
            .all(|cell| cell.trim_matches(['-', ':']).is_empty())
    };
    Ok(rows.filter(|row| !is_ruler(row)).collect())
}

pub fn cells(line: &str) -> Vec<String> {
    let line = line.replace("\\|", "\u{0}");
    let cells = line.trim().trim_matches('|').split('|');
    cells
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns the source code of the functions and of the shared crates.
fn sources() -> anyhow::Result<String> {
    let mut all = String::new();
    for folder in ["functions", "shared"] {
        for file in files::with_extension(Path::new(folder), "rs")? {
            all += &files::read(file)?;
        }
    }
    Ok(all)
}

#[test]
fn every_parameter_of_the_template_is_documented_with_its_default() -> anyhow::Result<()> {
    let template = schemas::yaml("template.yaml")?;
    let expected: BTreeMap<String, String> = members(&template["Parameters"])
        .map(|(name, parameter)| (name.clone(), text(&parameter["Default"])))
        .collect();
    let mut documented = BTreeMap::new();
    for row in rows(&files::read("infra/README.md")?, "## Parameters")? {
        let default = row[1].trim_matches('`');
        documented.extend(spans(&row[0]).map(|name| (name.to_owned(), default.to_owned())));
    }
    ensure!(documented == expected, "{documented:#?}\n{expected:#?}");
    Ok(())
}

#[test]
fn every_variable_of_a_function_is_documented() -> anyhow::Result<()> {
    let template = schemas::yaml("template.yaml")?;
    let names = |properties: &Value| -> BTreeSet<String> {
        let variables = members(&properties["Environment"]["Variables"]);
        variables.map(|(name, _)| name.clone()).collect()
    };
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (_, resource) in members(&template["Resources"]) {
        let properties = &resource["Properties"];
        if resource["Type"] == "AWS::Serverless::Function" {
            let code = properties["CodeUri"].as_str().context("no code")?;
            let folder = code.rsplit('/').next().unwrap_or_default();
            let file = format!("functions/{folder}/README.md");
            expected.entry(file).or_default().extend(names(properties));
        }
    }
    let common = names(&template["Globals"]["Function"]);
    expected.insert("functions/README.md".into(), common);
    for (file, expected) in expected {
        let document = files::read(&file)?;
        let is_variable = |span: &&str| {
            let is_name = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
            span.contains('_') && span.bytes().all(is_name)
        };
        let documented = spans(&document).filter(is_variable).map(str::to_owned);
        let documented: BTreeSet<String> = documented.collect();
        ensure!(
            documented == expected,
            "{file}: {documented:?}, {expected:?}"
        );
    }
    Ok(())
}

#[test]
fn every_route_is_documented_with_its_function() -> anyhow::Result<()> {
    let template = schemas::yaml("template.yaml")?;
    let mut documents = String::new();
    for function in files::folders(Path::new("functions"))? {
        documents += &files::read(function.join("README.md"))?;
    }
    let resources = members(&template["Resources"]);
    let routes = resources.filter_map(|(_, one)| one["Properties"]["RouteKey"].as_str());
    for route in routes {
        ensure!(documents.contains(&format!("`{route}`")), "{route}");
    }
    Ok(())
}

#[test]
fn the_documented_metrics_are_those_of_the_code_and_the_template() -> anyhow::Result<()> {
    let document = files::read("infra/observability.md")?;
    let metrics = rows(&document, "## Metrics")?;
    let documented: BTreeSet<&str> = metrics.iter().flat_map(|row| spans(&row[0])).collect();
    let callbacks = rows(&document, "## Callback lines")?;
    let words = callbacks.iter().flat_map(|row| spans(&row[0]));
    let sources = sources()?;
    for name in documented.iter().copied().chain(words) {
        ensure!(
            sources.contains(&format!("\"{name}\"")),
            "no code writes {name}"
        );
    }
    let template = schemas::yaml("template.yaml")?;
    for (_, resource) in members(&template["Resources"]) {
        let properties = &resource["Properties"];
        let namespace = properties["Namespace"].as_str().unwrap_or_default();
        if namespace.starts_with("Bancontact/") {
            let name = properties["MetricName"].as_str().context("no metric")?;
            ensure!(documented.contains(name), "{name} is not documented");
        }
    }
    Ok(())
}

#[test]
fn the_documented_alarms_are_those_of_the_template() -> anyhow::Result<()> {
    let template = schemas::yaml("template.yaml")?;
    let resources = members(&template["Resources"]).map(|(_, resource)| resource);
    let alarms = resources.filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm");
    let rows = alarms.map(|resource| alarm(&resource["Properties"]));
    let rows = rows.collect::<anyhow::Result<BTreeSet<String>>>()?;
    let heading = "| alarm | metric | statistic | above | during | fires without data |\n\
                   | --- | --- | --- | ---: | ---: | --- |\n";
    let table = rows
        .iter()
        .fold(heading.to_owned(), |table, row| table + row);
    snapshots::check_block(
        &files::root().join("infra/observability.md"),
        "alarms",
        &table,
    )
}

/// Formats an alarm as a row. [`schemas::yaml`] ignores YAML tags such as `!Ref`. So a threshold that is a parameter is
/// shown as the name of the parameter.
fn alarm(alarm: &Value) -> anyhow::Result<String> {
    let word = |name: &str| alarm[name].as_str().unwrap_or_default();
    let (_, name) = word("AlarmName").split_once("}-").context("no name")?;
    let name = name.trim_end_matches("-${Release}");
    let (_, section) = word("AlarmDescription")
        .split_once('#')
        .context("no section")?;
    let mut metric = match word("Namespace") {
        aws if aws.starts_with("AWS/") => format!("`{aws}` `{}`", word("MetricName")),
        _ => format!("`{}`", word("MetricName")),
    };
    let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
    for dimension in dimensions.filter(|_| !word("Namespace").starts_with("AWS/")) {
        metric += &format!(
            " with the dimension `{}` = `{}`",
            text(&dimension["Name"]),
            text(&dimension["Value"])
        );
    }
    let statistic = match word("Statistic") {
        "" => word("ExtendedStatistic").to_owned(),
        statistic => statistic.to_lowercase(),
    };
    let period = alarm["Period"].as_u64().context("no period")?;
    let period = match period % 3_600 {
        0 => format!("{} h", period / 3_600),
        _ => format!("{} min", period / 60),
    };
    let periods = &alarm["EvaluationPeriods"];
    let threshold = text(&alarm["Threshold"]);
    let without_data = match word("TreatMissingData") {
        "breaching" => "yes",
        _ => "",
    };
    ensure!(
        word("ComparisonOperator") == "GreaterThanThreshold",
        "{name}"
    );
    Ok(format!(
        "| [`{name}`](runbook.md#{section}) | {metric} | {statistic} | {threshold} | {periods} × {period} | {without_data} |\n"
    ))
}

#[test]
fn the_documented_event_types_are_those_of_the_schemas_and_the_queues() -> anyhow::Result<()> {
    let template = schemas::yaml("template.yaml")?;
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    // Without an event bus and webhooks, there is no further queue.
    let queues = variables["EVENT_QUEUES"][0].as_str().unwrap_or_default();
    let queues = queues.replace("${Bus}", "").replace("${Endpoints}", "");
    let queues: Value = serde_json::from_str(&queues)?;
    let to_fulfilment: BTreeSet<&str> = queues[0]["types"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();

    let document = files::read("infra/events/README.md")?;
    let table = rows(&document, "# Events")?;
    let typed = table.iter().filter(|row| row[0].contains('`'));
    let documented: Vec<(&str, bool)> = typed
        .map(|row| (row[0].trim_matches('`'), row[2] == "yes"))
        .collect();
    let types: BTreeSet<&str> = documented.iter().map(|(name, _)| *name).collect();
    ensure!(
        types == schemas::types()?.into_iter().collect(),
        "{types:?}"
    );
    let consumed = documented.iter().filter(|(_, is_consumed)| *is_consumed);
    let consumed: BTreeSet<&str> = consumed.map(|(name, _)| *name).collect();
    ensure!(consumed == to_fulfilment, "{consumed:?}\n{to_fulfilment:?}");

    let guide = files::read("functions/fulfilment/README.md")?;
    let guide = rows(&guide, "## What to do on an event")?;
    let guide: BTreeSet<&str> = guide.iter().flat_map(|row| spans(&row[0])).collect();
    ensure!(guide == to_fulfilment, "{guide:?}\n{to_fulfilment:?}");
    Ok(())
}

#[test]
fn every_command_of_the_tool_is_documented() -> anyhow::Result<()> {
    let help = Command::new(env!("CARGO_BIN_EXE_operator"))
        .arg("--help")
        .output()?;
    let help = String::from_utf8(help.stdout)?;
    let (_, list) = help.split_once("Commands:\n").context("no commands")?;
    let lines = list.lines().take_while(|line| !line.trim().is_empty());
    // The explanation of a command can have several lines. These lines are indented more than the names of commands.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let names: BTreeSet<&str> = names.filter(|name| *name != "help").collect();
    let table = rows(&files::read("infra/operator/README.md")?, "## Commands")?;
    let commands = table.iter().flat_map(|row| spans(&row[0]).take(1));
    let documented = commands.filter_map(|command| command.split_whitespace().next());
    let documented: BTreeSet<&str> = documented.collect();
    ensure!(documented == names, "{documented:?}\n{names:?}");
    Ok(())
}

#[test]
fn the_rows_of_a_section_are_read() -> anyhow::Result<()> {
    let document = "# A\n| x |\n# B\n| a | b |\n| --- | ---: |\n| `c\\|d` | |\n## C\n| y |\n";
    let found = rows(document, "# B")?;
    ensure!(found == [vec!["a", "b"], vec!["`c|d`", ""]], "{found:?}");
    ensure!(spans(&found[1][0]).eq(["c|d"]));
    Ok(())
}
