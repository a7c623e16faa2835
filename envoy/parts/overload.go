package parts

import (
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	heapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	heapMonitor       = "envoy.resource_monitors.fixed_heap"
	connectionMonitor = "envoy.resource_monitors.global_downstream_max_connections"
)

const (
	// heapShare is the part of Envoy's memory that its heap may take, in quarters: the
	// rest is its code, its threads, and what grows between two looks at the heap.
	heapShare = 3
	// heapEvery is the interval at which the heap is measured. Fast clients together can send
	// a gigabyte per second.
	heapEvery = 20 * time.Millisecond
	// releaseEvery is the interval at which freed memory is returned to the system.
	releaseEvery = 100 * time.Millisecond
	// trackedStream is the smallest stream whose memory is tracked, as a power of two: the
	// heaviest ones are reset first, and those below 64 KiB never.
	trackedStream = 16
	// connectionMemory is what a connection takes, roughly, that has a request in flight, or
	// the greatest head that Envoy reads.
	connectionMemory = 128 << 10
	// mostConnections bounds the clients' connections where there is memory for more.
	mostConnections = 100_000
)

// overload keeps Envoy within its memory, in bytes. As its heap fills, Envoy closes idle
// connections and those whose head does not arrive, resets the heaviest streams of HTTP/2,
// closes new connections, answers 503 to new requests ([envoy.Overloaded]) and to those that
// still arrive over HTTP/1, and accepts no more connections.
func overload(memory int64) *overloadv3.OverloadManager {
	heap := memory / 4 * heapShare
	return &overloadv3.OverloadManager{
		RefreshInterval: durationpb.New(heapEvery),
		ResourceMonitors: []*overloadv3.ResourceMonitor{
			monitor(heapMonitor, &heapv3.FixedHeapConfig{MaxHeapSizeBytes: uint64(heap)}),
			monitor(connectionMonitor, &connectionsv3.DownstreamConnectionsConfig{
				MaxActiveDownstreamConnections: min(memory/connectionMemory, mostConnections),
			}),
		},
		Actions: []*overloadv3.OverloadAction{
			{
				Name: "envoy.overload_actions.reduce_timeouts", Triggers: scaled(0.6, 0.85),
				TypedConfig: Typed(sooner()),
			},
			{Name: "envoy.overload_actions.shrink_heap", Triggers: above(0.6)},
			{Name: "envoy.overload_actions.reset_high_memory_stream", Triggers: scaled(0.75, 0.95)},
			{Name: "envoy.overload_actions.stop_accepting_requests", Triggers: above(0.85)},
		},
		LoadshedPoints: []*overloadv3.LoadShedPoint{
			// A connection that is closed lets its client try elsewhere, or again. Envoy's action
			// stop_accepting_connections would let it wait.
			{Name: "envoy.load_shed_points.hcm_ondata_creating_codec", Triggers: above(0.92)},
			{Name: "envoy.load_shed_points.http1_server_abort_dispatch", Triggers: above(0.92)},
			{Name: "envoy.load_shed_points.tcp_listener_accept", Triggers: above(0.95)},
		},
		BufferFactoryConfig: &overloadv3.BufferFactoryConfig{MinimumAccountToTrackPowerOfTwo: trackedStream},
	}
}

// sooner are the timeouts that are down to a second if memory is short: those of idle
// connections, and of requests that have no route yet, because their head has not arrived.
func sooner() *overloadv3.ScaleTimersOverloadActionConfig {
	c := new(overloadv3.ScaleTimersOverloadActionConfig)
	for _, timer := range []overloadv3.ScaleTimersOverloadActionConfig_TimerType{
		overloadv3.ScaleTimersOverloadActionConfig_HTTP_DOWNSTREAM_CONNECTION_IDLE,
		overloadv3.ScaleTimersOverloadActionConfig_HTTP_DOWNSTREAM_STREAM_IDLE,
	} {
		c.TimerScaleFactors = append(c.TimerScaleFactors, &overloadv3.ScaleTimersOverloadActionConfig_ScaleTimer{
			Timer: timer,
			OverloadAdjust: &overloadv3.ScaleTimersOverloadActionConfig_ScaleTimer_MinTimeout{
				MinTimeout: durationpb.New(time.Second),
			},
		})
	}
	return c
}

func monitor(name string, settings proto.Message) *overloadv3.ResourceMonitor {
	return &overloadv3.ResourceMonitor{
		Name:       name,
		ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: Typed(settings)},
	}
}

// above triggers an action where the heap is fuller than a part of what it may be.
func above(part float64) []*overloadv3.Trigger {
	return []*overloadv3.Trigger{{
		Name:         heapMonitor,
		TriggerOneof: &overloadv3.Trigger_Threshold{Threshold: &overloadv3.ThresholdTrigger{Value: part}},
	}}
}

// scaled triggers an action more and more from one part to another.
func scaled(from, to float64) []*overloadv3.Trigger {
	return []*overloadv3.Trigger{{
		Name: heapMonitor,
		TriggerOneof: &overloadv3.Trigger_Scaled{
			Scaled: &overloadv3.ScaledTrigger{ScalingThreshold: from, SaturationThreshold: to},
		},
	}}
}

// releases returns freed memory to the system all the time, so that what a burst took
// neither counts as used nor stays.
func releases(memory int64) *bootstrapv3.MemoryAllocatorManager {
	return &bootstrapv3.MemoryAllocatorManager{
		BytesToRelease:        uint64(memory / 8),
		MemoryReleaseInterval: durationpb.New(releaseEvery),
	}
}
