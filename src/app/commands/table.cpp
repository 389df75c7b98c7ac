// SPDX-License-Identifier: Apache-2.0
// Every command of the binary, in the order of `infiniedge --help`.
#include "app/commands/command.hpp"

namespace infiniedge::app {
namespace {

constexpr Flag kCommon[] = {
    {"--file", "-f", "PATH", "resource file or directory; - is standard input", true},
    {"--output", "-o", "FORMAT", "table or json; get: wide and yaml too; sql: csv"},
    {"--yes", "-y", "", "do not ask"},
    {"--quiet", "-q", "", "print problems only"},
    {"--verbose", "-v", "", "print more"},
    {"--node", "", "URL", "node to talk to: unix:/path/node.sock or http://host:port"},
    {"--token-file", "", "FILE", "file that holds the API token"},
    {"--ca", "", "FILE", "CA certificate of the node"},
    {"--timeout", "", "D", "longest wait for the node (30s)"},
};

constexpr Flag kUp[] = {
    {"--http", "", "HOST:PORT", "address of all HTTP doors (127.0.0.1:8000; port 0: any)"},
    {"--grpc", "", "HOST:PORT", "address of the gRPC door (127.0.0.1:8001 if free; off: none)"},
    {"--data", "", "DIR", "data directory"},
    {"--models", "", "DIR", "model repository to serve"},
    {"--plugins", "", "DIR", "backends built by others, to load at start"},
    {"--ready-file", "", "FILE", "write address and console link there once ready"},
    {"--node-token-file", "", "FILE", "hub: token that nodes must show"},
    {"--tls", "", "", "hub: serve TLS with an own certificate and print its fingerprint"},
};
constexpr Flag kDemo[] = {
    {"--check", "", "", "run for a minute without a browser, print a JSON summary and judge it"},
    {"--keep", "", "", "keep the data directory"},
    {"--for", "", "D", "stop after this time"},
    {"--plugs", "", "N", "number of smart plugs (32)"},
};
constexpr Flag kApply[] = {
    {"--prune", "", "", "remove what the files no longer name"},
    {"--dry-run", "", "", "print what would change; exit 1 if anything would"},
    {"--wait", "", "", "wait until everything is ready"}};
constexpr Flag kValidate[] = {{"--skip", "", "STEP", "topology or environment", true},
                              {"--strict", "", "", "warnings fail too"},
                              {"--models", "", "DIR", "model repository of the node"}};
constexpr Flag kTap[] = {{"--where", "", "X", "rows for which this holds"},
                         {"--limit", "", "N", "stop after N rows"},
                         {"--for", "", "D", "stop after this time"}};
constexpr Flag kLogs[] = {{"--level", "", "L", "error, warning, info or debug: least to show"}};
constexpr Flag kReference[] = {{"--check", "", "", "write nothing; exit 1 if a page differs"}};
constexpr Flag kModel[] = {{"--name", "", "N", "check: the model's name (the folder's)"},
                           {"--config", "", "FILE",
                            "check: ModelConfig in JSON instead of the "
                            "folder's files; - is standard input"},
                           {"--plugins", "", "DIR", "check: backends built by others"}};
constexpr Flag kDevice[] = {{"--dry-run", "", "", "check, but do not write"}};

constexpr Command kCommands[] = {
    {"up", "[-f PATH]…", "run a node",
     "Runs a node with the resources of the files. Without -f: the last applied revision.\n\n"
     "  infiniedge up -f site.yaml\n  infiniedge up -f conf.d --http 127.0.0.1:0\n",
     kUp, run_up},
    {"hub", "[-f PATH]…", "run a hub",
     "Runs a hub: receives rows of nodes, keeps them, serves teacher models.\n\n"
     "  infiniedge hub --http 127.0.0.1:8100 --models models/\n",
     kUp, run_hub},
    {"demo", "", "see it work: smart plugs, a node, a hub, real recordings",
     "Starts a broker, simulated smart plugs that replay recordings of real appliances, a hub "
     "with\n"
     "a teacher model and a node with a student model, and prints the console's address.\n\n"
     "  infiniedge demo\n  infiniedge demo --check\n",
     kDemo, run_demo},
    {"apply", "-f PATH…", "change a running node, all or nothing",
     "Validates, shows or makes one transaction of the files' resources.\n\n"
     "  infiniedge apply -f site.yaml --dry-run\n  infiniedge apply -f site.yaml --prune --wait\n",
     kApply, run_apply},
    {"validate", "PATH…", "check files without starting anything",
     "Syntax, then schema, then files, secrets and models, then what resources say about one\n"
     "another. Models are loaded to see that they can be; no device is contacted.\n"
     "Exit status 0: good; 78: not.\n\n  infiniedge validate site.yaml\n"
     "  infiniedge validate conf.d --skip environment -o json\n",
     kValidate, run_validate},
    {"get",
     "KIND[/NAME] | all",
     "list resources",
     "  infiniedge get devices\n  infiniedge get stream/pump-health -o json\n",
     {},
     run_get},
    {"describe",
     "KIND/NAME",
     "show a resource: spec, conditions, values",
     "  infiniedge describe device/pump-7\n",
     {},
     run_describe},
    {"delete",
     "KIND/NAME",
     "remove a resource",
     "  infiniedge delete device/pump-7 -y\n",
     {},
     run_delete},
    {"tap", "KIND/NAME", "watch rows passing",
     "  infiniedge tap stream/pump-health --limit 10\n  infiniedge tap device/pump-7 -o json\n",
     kTap, run_tap},
    {"sql",
     "[QUERY]",
     "query the store",
     "  infiniedge sql 'SELECT count(*) FROM pump_7'\n  infiniedge sql -o csv 'SELECT * FROM "
     "alarms'\n",
     {},
     run_sql},
    {"logs", "", "follow what the node says", "  infiniedge logs --level warning\n", kLogs,
     run_logs},
    {"device", "read N[.POINT]… | write N.POINT=V…", "read or write points now",
     "  infiniedge device read pump-7\n  infiniedge device write pump-7.speed=900 --dry-run\n",
     kDevice, run_device},
    {"model", "list | load N | unload N | check PATH", "models that are served",
     "`check` loads a model's folder or file in a process of its own, without a node, and says "
     "what "
     "is wrong.\n\n"
     "  infiniedge model list\n  infiniedge model check models/pump\n",
     kModel, run_model},
    {"ps", "", "parts that run: state, rate, memory", "  infiniedge ps\n", {}, run_ps},
    {"explain",
     "KIND[.FIELD…] | KIND/NAME",
     "what a field means; how a rule runs",
     "  infiniedge explain device.points\n  infiniedge explain stream/pump-health\n",
     {},
     run_explain},
    {"reference", "DIR", "write the reference pages of this binary",
     "Writes resources, connectors, settings and commands as Markdown.\n\n"
     "  infiniedge reference docs/reference\n  infiniedge reference --check docs/reference\n",
     kReference, run_reference},
    {"completion",
     "bash | zsh | fish",
     "shell completion",
     "  source <(infiniedge completion bash)\n",
     {},
     run_completion},
    {"version", "", "version and the libraries really used", "", {}, run_version},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }
std::span<const Flag> common_flags() { return kCommon; }

}  // namespace infiniedge::app
