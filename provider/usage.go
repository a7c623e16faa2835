package provider

// Usage is what an answer reports about its tokens.
type Usage struct {
	PromptTokens     int
	CompletionTokens int
	TotalTokens      int
	// Estimated means that the provider did not send every count, see
	// [Answer.EstimateUsage].
	Estimated bool
	// Model is the model that the answer names, or empty.
	Model string
}

// Cost returns the price of an answer by the plugin's input_cost and output_cost, each
// per million tokens.
func (u Usage) Cost(input, output float64) float64 {
	return (float64(u.PromptTokens)*input + float64(u.CompletionTokens)*output) / 1e6
}

// EstimateUsage estimates the tokens of an answer without counts by the plugin's
// rules: one token for each word of the prompt, 1.8 if the answer streams, and one
// for every four characters of the completion.
func (a Answer) EstimateUsage(characters int) Usage {
	prompt := float64(a.PromptWords)
	if a.Streaming {
		prompt *= 1.8
	}
	u := Usage{PromptTokens: int(prompt), CompletionTokens: characters / 4, Estimated: true}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}
