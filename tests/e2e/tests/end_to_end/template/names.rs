//! Tests the names of resources, so that several stacks fit into one account and region, and one stack into several
//! regions.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::template::processed::Template;

/// For each type of resource whose name is unique in an account and region: the property with the name. The names of
/// roles, policies and dashboards are unique in all regions of an account, and the names of buckets in all accounts.
const NAMES: [(&str, &str); 16] = [
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::Events::Rule", "Name"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::Logs::QueryDefinition", "Name"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::SSM::Parameter", "Name"),
    ("AWS::Scheduler::Schedule", "Name"),
    ("AWS::SecretsManager::Secret", "Name"),
];

/// The types of resources without a name that must be unique.
const WITHOUT_NAME: [&str; 15] = [
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
];

#[tokio::test]
async fn two_stacks_in_an_account_and_one_stack_in_two_regions_share_no_name() -> anyhow::Result<()>
{
    let template = Template::processed().await?;
    let resources = template.section("Resources").as_object();
    for (resource, content) in resources.context("the template has no resources")? {
        let kind = content["Type"].as_str().unwrap_or_default();
        if WITHOUT_NAME.contains(&kind) {
            continue;
        }
        let known = NAMES.iter().find(|(known, _)| *known == kind);
        let (_, property) = known.with_context(|| format!("does {kind} have a unique name?"))?;
        let name = &content["Properties"][property];
        let is_unique = match kind {
            // CloudFormation's own name would not show which stack and which problem an alarm belongs to. The names of
            // alarms are unique in a region.
            "AWS::CloudWatch::Alarm" => has(name, "${AWS::StackName}-"),
            // Without a name, a change of the body would replace the dashboard.
            "AWS::CloudWatch::Dashboard" => {
                *name == json!({ "Fn::Sub": "${AWS::StackName}-${AWS::Region}" })
            }
            // CloudFormation makes a unique name.
            _ => name.is_null(),
        };
        ensure!(is_unique, "{resource} has the name {name}");
    }
    Ok(())
}

fn has(name: &Value, part: &str) -> bool {
    let name = name["Fn::Sub"].as_str();
    name.is_some_and(|name| name.starts_with(part))
}
