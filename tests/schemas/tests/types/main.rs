//! Tests that type generators make complete types from `infra/events/bundle.json`. Each test reads every sample with
//! the types of one generator.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::ensure;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use schemas::bundle::type_name;
use serde_json::Value;
use tokio::runtime::Runtime;
use tools::Supervisor;

const PYTHON_PACKAGES: &str = "tests/schemas/tests/types/requirements.txt";
const NODE_PACKAGES: &str = "tests/schemas/tests/types/package-lock.json";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    macro_rules! trial {
        ($trial:path, $run:expr, $test:ident) => {
            $trial(stringify!($test), || $run($test))
        };
    }
    let tests = vec![
        trial!(
            Trial::test,
            run,
            python_types_of_datamodel_code_generator_lose_nothing_of_an_event
        ),
        trial!(
            Trial::ignorable_test,
            with_node,
            typescript_types_of_quicktype_lose_nothing_of_an_event
        ),
        trial!(
            Trial::ignorable_test,
            with_node,
            typescript_types_of_json_schema_to_typescript_lose_nothing_of_an_event
        ),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}

fn run(test: impl AsyncFnOnce(&Workshop) -> anyhow::Result<()>) -> Result<(), Failed> {
    let result = Runtime::new()?.block_on(async { test(&Workshop::new()?).await });
    result.map_err(|error| format!("{error:#}").into())
}

/// Runs a test that needs Node.js. Without Node.js, the test fails if `REQUIRE_NODE=1`. Otherwise, it is ignored.
fn with_node(
    test: impl AsyncFnOnce(&Workshop) -> anyhow::Result<()>,
) -> Result<Completion, Failed> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    if !folders.any(|folder| folder.join("npm").is_file()) {
        let why = "Node.js 20 with npm is not installed (Debian: apt-get install nodejs npm)";
        return match std::env::var("REQUIRE_NODE").as_deref() {
            Ok("1") => Err(why.into()),
            _ => Ok(Completion::ignored_with(why)),
        };
    }
    run(test).map(|()| Completion::Completed)
}

async fn python_types_of_datamodel_code_generator_lose_nothing_of_an_event(
    workshop: &Workshop,
) -> anyhow::Result<()> {
    let tools = workshop
        .supervisor
        .install(PYTHON_PACKAGES)
        .await?
        .join("bin");
    let (input, types) = (bundle(), workshop.file("events.py"));
    let options: [&dyn AsRef<OsStr>; 7] = [
        &"--input-file-type=jsonschema",
        &"--output-model-type=pydantic_v2.BaseModel",
        &"--formatters=builtin",
        &"--input",
        &input,
        &"--output",
        &types,
    ];
    workshop
        .run(&tools.join("datamodel-codegen"), &options)
        .await?;
    let check = source("round_trip.py");
    workshop
        .run(&tools.join("python"), &[&check, &types, &samples()])
        .await
}

async fn typescript_types_of_quicktype_lose_nothing_of_an_event(
    workshop: &Workshop,
) -> anyhow::Result<()> {
    let tools = workshop.node_tools().await?;
    let mut definitions = bundle().into_os_string();
    definitions.push("#/$defs/");
    let types = workshop.file("events.ts");
    let options: [&dyn AsRef<OsStr>; 5] = [
        &"--src-lang=schema",
        &"--lang=typescript",
        &"--out",
        &types,
        &definitions,
    ];
    workshop.run(&tools.join("quicktype"), &options).await?;
    workshop.compile(&tools, &["events.ts"]).await?;
    let (check, types) = (source("round_trip.mjs"), workshop.file("out/events.js"));
    workshop
        .run(Path::new("node"), &[&check, &types, &samples()])
        .await
}

async fn typescript_types_of_json_schema_to_typescript_lose_nothing_of_an_event(
    workshop: &Workshop,
) -> anyhow::Result<()> {
    let tools = workshop.node_tools().await?;
    let (bundle, types) = (bundle(), workshop.file("events.ts"));
    // By default, each interface would have a field of any name.
    let closed = "--additionalProperties=false";
    workshop
        .run(&tools.join("json2ts"), &[&bundle, &types, &closed])
        .await?;
    std::fs::write(workshop.file("samples.ts"), samples_in_typescript()?)?;
    workshop.compile(&tools, &["events.ts", "samples.ts"]).await
}

/// Runs the generators and compilers in a temporary folder.
struct Workshop {
    supervisor: Supervisor,
    folder: tempfile::TempDir,
}

impl Workshop {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            supervisor: Supervisor::new()?,
            folder: tempfile::tempdir()?,
        })
    }

    async fn node_tools(&self) -> anyhow::Result<PathBuf> {
        let folder = self.supervisor.install(NODE_PACKAGES).await?;
        Ok(folder.join("node_modules/.bin"))
    }

    /// Compiles files of the folder together with `fields.ts`.
    async fn compile(&self, tools: &Path, files: &[&str]) -> anyhow::Result<()> {
        std::fs::copy(source("fields.ts"), self.file("fields.ts"))?;
        std::fs::write(self.file("package.json"), r#"{ "type": "module" }"#)?;
        let (root, out) = (self.file("."), self.file("out"));
        let mut options: Vec<&dyn AsRef<OsStr>> = vec![
            &"--strict",
            &"--target",
            &"es2022",
            &"--module",
            &"nodenext",
            &"--types",
            &"",
            &"--rootDir",
            &root,
            &"--outDir",
            &out,
            &"fields.ts",
        ];
        options.extend(files.iter().map(|name| name as &dyn AsRef<OsStr>));
        self.run(&tools.join("tsc"), &options).await
    }

    /// Runs a program in the folder. It must succeed.
    async fn run(&self, program: &Path, arguments: &[&dyn AsRef<OsStr>]) -> anyhow::Result<()> {
        let mut command = self.supervisor.command(program);
        command.args(arguments).current_dir(self.folder.path());
        let (status, output) = self.supervisor.output(command).await?;
        let output = String::from_utf8_lossy(&output);
        ensure!(status.success(), "{}: {output}", program.display());
        Ok(())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn bundle() -> PathBuf {
    tools::root().join("infra/events/bundle.json")
}

fn samples() -> PathBuf {
    tools::root().join("infra/events/samples")
}

fn source(name: &str) -> PathBuf {
    tools::root().join("tests/schemas/tests/types").join(name)
}

/// Returns a module with a constant for each sample. TypeScript refuses a field that the type of the constant does not
/// have.
fn samples_in_typescript() -> anyhow::Result<String> {
    let mut module = "import type * as events from \"./events.js\";\n".to_owned();
    for (index, entry) in std::fs::read_dir(samples())?.enumerate() {
        let sample: Value = serde_json::from_slice(&std::fs::read(entry?.path())?)?;
        let kind = sample.get("type").and_then(Value::as_str);
        let kind = type_name(kind.unwrap_or_default());
        module +=
            &format!("export const sample{index}: events.{kind} & events.Event = {sample};\n");
    }
    Ok(module)
}
