package provider

// Usage is what an answer reports about its tokens.
type Usage struct {
	PromptTokens     int
	CompletionTokens int
	TotalTokens      int
	// Estimated means that the provider sent no counts; see [EstimateUsage].
	Estimated bool
	// Model is the model that the answer names, or empty.
	Model string
}

// Cost is the price of an answer by the plugin's input_cost and output_cost, each
// per million tokens.
func (u Usage) Cost(input, output float64) float64 {
	return (float64(u.PromptTokens)*input + float64(u.CompletionTokens)*output) / 1e6
}

// EstimateUsage estimates the tokens of an answer without counts by the rules of
// the plugin: a token for each word of the prompt, 1.8 if the answer streams, and
// a token for every four characters of the completion.
func EstimateUsage(promptWords, completionCharacters int, streaming bool) Usage {
	prompt := float64(promptWords)
	if streaming {
		prompt *= 1.8
	}
	u := Usage{PromptTokens: int(prompt), CompletionTokens: completionCharacters / 4, Estimated: true}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}
