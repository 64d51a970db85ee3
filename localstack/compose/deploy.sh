#!/bin/sh
# Deploys the template into the LocalStack that runs this script, as `sam deploy` does on AWS. compose.yaml has the variables.
set -eu

case " $PARAMS" in
*" Database"*=* | *" Storage"*=* | *" ClickHouse"*=*)
	echo "PARAMS has $PARAMS; the parameters of the database and of ClickHouse are those of compose.yaml" >&2
	exit 1
	;;
esac

# LocalStack's image has awslocal; others have the AWS CLI.
command -v awslocal >/dev/null 2>&1 || awslocal() { aws --endpoint-url http://127.0.0.1:4566 "$@"; }

cd /opt/ksu/infra/sam
case $(uname -m) in
aarch64 | arm64) architecture=arm64 ;;
*) architecture=x86_64 ;;
esac

awslocal s3 mb s3://ksu-deploy
# It redraws a progress bar for each function; only what went wrong is worth a line.
awslocal cloudformation package --template-file template.yaml --s3-bucket ksu-deploy --output-template-file /tmp/packaged.yaml \
	>/tmp/package.log 2>&1 || {
	cat /tmp/package.log >&2
	exit 1
}

# LocalStack's community edition has no Aurora. Without ApiAuth=NONE clients of this machine would need an API key.
# shellcheck disable=SC2086 # PARAMS is a list
awslocal cloudformation deploy --stack-name ksu --template-file /tmp/packaged.yaml --s3-bucket ksu-deploy \
	--capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND --no-fail-on-empty-changeset --parameter-overrides \
	ApiAuth=NONE ApiLogRole=existing "Architecture=$architecture" "DatabaseUrl=$DATABASE_URL" \
	"ClickHouseAddress=$CLICKHOUSE_ADDRESS" "ClickHouseUsername=$CLICKHOUSE_USERNAME" \
	"ClickHousePassword=$CLICKHOUSE_PASSWORD" "ClickHouseDatabase=$CLICKHOUSE_DATABASE" ClickHouseSecure=false $PARAMS || {
	awslocal cloudformation describe-stack-events --stack-name ksu \
		--query 'StackEvents[?ResourceStatusReason && contains(ResourceStatus, `FAILED`)].[LogicalResourceId, ResourceStatusReason]' --output text >&2
	exit 1
}
awslocal cloudformation describe-stacks --stack-name ksu --query 'Stacks[0].Outputs' --output table
