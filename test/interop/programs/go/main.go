// Three spans of a voice agent's turn, sent by the OpenTelemetry SDK for Go.
//
//	interop-go http|grpc host:port trace-id-is-printed
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func exporter(ctx context.Context, over, endpoint string) (sdk.SpanExporter, error) {
	if over == "grpc" {
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(endpoint), otlptracegrpc.WithInsecure(),
			otlptracegrpc.WithCompressor("gzip"))
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(endpoint), otlptracehttp.WithInsecure(),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
}

func main() {
	ctx := context.Background()
	out, err := exporter(ctx, os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(out),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "interop-go"))))
	tracer := provider.Tracer("interop")
	begin := time.Now()
	at := func(ms int) trace.SpanStartEventOption {
		return trace.WithTimestamp(begin.Add(time.Duration(ms) * time.Millisecond))
	}
	ctx, turn := tracer.Start(ctx, "turn", at(0), trace.WithAttributes(
		attribute.String("session.id", "interop go "+os.Args[1]), attribute.Int("turn.number", 3)))
	_, llm := tracer.Start(ctx, "llm", at(10), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.Float64("temperature", 0.5), attribute.StringSlice("words", []string{"a", "b"})))
	llm.AddEvent("first_token", at(110))
	llm.SetStatus(codes.Error, "cut off")
	llm.End(trace.WithTimestamp(begin.Add(210 * time.Millisecond)))
	_, tts := tracer.Start(ctx, "tts", at(220))
	tts.End(trace.WithTimestamp(begin.Add(320 * time.Millisecond)))
	turn.End(trace.WithTimestamp(begin.Add(400 * time.Millisecond)))
	if err := provider.Shutdown(ctx); err != nil {
		panic(err)
	}
	fmt.Println(turn.SpanContext().TraceID())
}
