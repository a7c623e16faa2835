package configtest

import "fmt"

// ManyFields has fields of every kind, and values that are hard to write.
const ManyFields = `plugins:
- name: ai-proxy-advanced
  instance_name: "yes"
  enabled: no
  tags: [a, "1"]
  route: r
  consumer: c
  config:
    balancer: {algorithm: semantic, retries: 0, read_timeout: 0x10}
    embeddings:
      auth: {header_name: Authorization, header_value: "{vault://env/some-key}"}
      model: {provider: openai, name: e, options: {upstream_url: "http://localhost:1/${x}?a=%{b}"}}
    vectordb: {strategy: redis, dimensions: 3, distance_metric: cosine, redis: {port: "6380", ssl: on, password: 'in "clear" \text'}}
    targets:
    - model: {provider: openai, name: "4", options: {temperature: 1.0, top_p: .5}}
      route_type: llm/v1/chat
      description: "a: b # c\nnext"
      auth: {header_name: Authorization, header_value: 'Bearer ${{ env "DECK_KEY" }}', param_name: p, param_location: query, param_value: $KEY}
- name: ai-proxy-advanced
  config:
    targets:
    - {model: {provider: vllm, options: {upstream_url: http://localhost}}, route_type: llm/v1/completions}
`

// EveryEntity is a decK file with entities of every kind.
const EveryEntity = `_format_version: "3.0"
services:
- name: llm
  id: 1c1c1c1c-0000-4000-8000-000000000001
  url: https://localhost/v1
  retries: 3
  routes:
  - name: chat
    hosts: [llm.example.com, "*.example.com"]
    paths: [/chat, "~/v[0-9]+/chat$"]
    methods: [POST]
    headers:
      x-team: [a, b]
    strip_path: false
    regex_priority: 7
    protocols: [https]
routes:
- id: 1c1c1c1c-0000-4000-8000-000000000002
  service: {name: llm}
consumers:
- username: anna
  custom_id: a-1
  groups:
  - name: gold
  keyauth_credentials:
  - key: unseen-MARKER
  basicauth_credentials:
  - username: anna
    password: $ANNA_PASSWORD
  jwt_secrets:
  - key: issuer
    secret: "{vault://env/jwt-secret}"
- username: bob
consumer_groups:
- name: gold
- name: silver
  consumers:
  - username: anna
  - username: bob
`

// ClusterFile has Kubernetes resources of every kind that is read.
const ClusterFile = `
apiVersion: v1
kind: Service
metadata: {name: llm, namespace: kong, annotations: {konghq.com/plugins: p}}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: chat, namespace: kong, annotations: {konghq.com/plugins: "q", konghq.com/methods: "POST", konghq.com/headers.x-a: "1,2"}}
spec:
  rules:
  - {host: a.example, http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: llm, port: {number: 80}}}}]}}
  - {host: b.example, http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: llm, port: {number: 80}}}}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: open, namespace: kong}
spec: {hostnames: [c.example], rules: [{backendRefs: [{name: llm}]}]}
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: anna, namespace: kong, annotations: {konghq.com/plugins: "q"}}
username: anna
credentials: [anna-key]
consumerGroups: [gold]
---
apiVersion: configuration.konghq.com/v1beta1
kind: KongConsumerGroup
metadata: {name: gold}
---
apiVersion: v1
kind: Secret
metadata: {name: anna-key, namespace: kong, labels: {konghq.com/credential: key-auth}}
stringData: {key: sk-ANNA_KEY_KEY}
---
apiVersion: v1
kind: Secret
metadata: {name: openai, namespace: kong}
stringData: {value: '"sk-OPENAI_VALUE"'}
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: p, namespace: kong, annotations: {konghq.com/tags: "a,b"}}
plugin: ai-proxy-advanced
config: {targets: [{model: {provider: openai, name: m}, route_type: llm/v1/chat, auth: {header_name: Authorization}}]}
configPatches: [{path: /targets/0/auth/header_value, valueFrom: {secretKeyRef: {name: openai, key: value}}}]
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: q, namespace: kong}
plugin: ai-proxy-advanced
disabled: true
config: {targets: [{model: {provider: openai, name: n}, route_type: llm/v1/chat}]}
`

// PluginConfig is the config of a plugin Resource that loads.
const PluginConfig = `
config:
  targets:
  - model: {provider: openai, name: gpt-4o}
    route_type: llm/v1/chat
    auth: {allow_override: false}
`

// Resource returns a document for a Resource with what follows its metadata.
func Resource(kind, name, annotations, more string) string {
	return fmt.Sprintf("---\napiVersion: configuration.konghq.com/v1\nkind: %s\nmetadata:\n  name: %s\n  namespace: kong\n  annotations: {%s}\n%s\n",
		kind, name, annotations, more)
}

// MinimalJSON is a small plugin in JSON.
const MinimalJSON = `{"name": "ai-proxy-advanced", "config": {"targets": [{"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}}`

// Script is a shell script with requests of every kind that is read.
const Script = `#!/bin/sh
# everything
curl -sS -X POST http://localhost:8001/services -d '{"name": "llm"}'; curl -X POST localhost:8001/services/llm/routes --json '{"name":"chat","paths":["/chat"]}'
curl -X PUT http://localhost:8001/consumers/anna -d '{}'
curl -H 'a: b' http://localhost:8001/consumer_groups/ -d '{"name":"gold"}'
curl http://localhost:8001/consumer_groups/gold/consumers -d '{"consumer":"anna"}'
curl http://localhost:8001/consumers/anna/key-auth -d '{"key":"'$ANNA_KEY'"}'
curl http://localhost:8001/status
curl http://localhost:8001/upstreams -d '{"name":"u"}'
rm -rf /
curl http://localhost:8001/routes/chat/plugins -d "{
  \"name\": \"ai-proxy-advanced\", \"consumer\": {\"username\": \"anna\"}, \"instance_name\": \"it's \$5\",
  \"config\": {\"targets\": [{\"model\": {\"provider\": \"openai\", \"name\": \"${MODEL}\"}, \"route_type\": \"llm/v1/chat\"}]}}"
`

// TerraformTarget is the shortest target of a plugin in Terraform.
const TerraformTarget = `{ model = { provider = "openai", name = "m" }, route_type = "llm/v1/chat" }`

// TerraformPlugin is a plugin's Resource with more attributes and settings.
func TerraformPlugin(attributes, settings string) string {
	return "resource \"konnect_gateway_plugin_ai_proxy_advanced\" \"p\" {\n  config = {\n    targets = [" + TerraformTarget + "]\n" + settings + "\n  }\n" + attributes + "\n}\n"
}
