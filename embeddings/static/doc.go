// Package static embeds texts with the model inside this binary: a lookup and a sum,
// with no server, no key and no GPU.
//
// A static model is a row of numbers for each piece of a WordPiece vocabulary. The
// vector of a text is the weighted sum of the rows of its pieces, scaled to unit
// length; there is no attention and no order, so a prompt costs microseconds.
//
// # What it is good for
//
// The table is trained to give the sentence vectors of all-MiniLM-L6-v2 (see
// embeddings/training), and chooses among short descriptions about as well as that
// transformer does. It knows English; a text without a single known piece has no vector
// and so matches nothing. Its cosines are lower than those of remote models, so it
// reports a [embeddings.Info.DistanceScale] below 1: order and zero stay as they are,
// and the thresholds of existing configurations keep their meaning. A vague description
// ("Specialist in real life topics") gives distances close to its neighbours': name the
// subjects of a target in words that its prompts would use.
//
// # Bounds
//
// Of a text longer than 8 KiB the first and the last 4 KiB are read. Time is linear in
// what is read.
package static
