resource "konnect_gateway_plugin_ai_proxy_advanced" "ai_proxy_advanced" {
  instance_name = "yes"
  enabled       = false
  tags          = ["a", "1"]
  config = {
    balancer = {
      algorithm    = "semantic"
      retries      = 0
      read_timeout = 16
    }
    embeddings = {
      auth = {
        header_name  = "Authorization"
        header_value = "{vault://env/some-key}"
      }
      model = {
        provider = "openai"
        name     = "e"
        options = {
          upstream_url = "http://localhost:1/$${x}?a=%%{b}"
        }
      }
    }
    vectordb = {
      strategy        = "redis"
      dimensions      = 3
      distance_metric = "cosine"
      redis = {
        port     = "6380"
        ssl      = true
        password = "in \"clear\" \\text"
      }
    }
    targets = [{
      model = {
        provider = "openai"
        name     = "4"
        options = {
          temperature = 1.0
          top_p       = 0.5
        }
      }
      route_type  = "llm/v1/chat"
      description = "a: b # c\nnext"
      auth = {
        header_name    = "Authorization"
        header_value   = "Bearer ${var.key}"
        param_name     = "p"
        param_location = "query"
        param_value    = "${var.key}"
      }
    }]
  }
  route = {
    id = "r"
  }
  consumer = {
    id = "c"
  }
  control_plane_id = var.control_plane_id
}

resource "konnect_gateway_plugin_ai_proxy_advanced" "ai_proxy_advanced_2" {
  config = {
    targets = [{
      model = {
        provider = "vllm"
        options = {
          upstream_url = "http://localhost"
        }
      }
      route_type = "llm/v1/completions"
    }]
  }
  control_plane_id = var.control_plane_id
}

variable "control_plane_id" {
  type = string
}
variable "key" {
  type      = string
  sensitive = true
}
