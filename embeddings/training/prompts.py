"""Prompts made from parts: programming, sums, word problems and longer chat prompts.

Written for this project. Everything is drawn from the random generator it is given,
so that the same seed makes the same prompts.
"""

LANGUAGES = "Python JavaScript TypeScript Go Rust Java C C++ C# Ruby PHP Kotlin Swift Scala Haskell SQL Bash R MATLAB Lua".split()
THINGS = """a list of integers; a binary tree; a linked list; a csv file; a json document; a string; a matrix; a graph; a hash map; a queue; a database table; a log file; an http response; a config file; a sorted array; a set of intervals; a stream of events; a directory of images; a pandas data frame; a thread pool; a web page; a channel; a socket; a cache; a date string; a url; a user form; a priority queue; a bit mask; a text file""".split("; ")
JOBS = """sorts; reverses; parses; validates; merges; searches; counts the duplicates in; flattens; splits; compresses; prints; copies; filters; reads; writes to; finds the maximum of; removes the empty entries from; converts to upper case; serialises; iterates over; deep copies; computes the checksum of; rotates; finds the longest path in; removes duplicates from; groups by key""".split("; ")
ERRORS = """segmentation fault; index out of range; undefined is not a function; null pointer exception; deadlock; connection refused; permission denied; type mismatch; cannot borrow as mutable; module not found; stack overflow; race condition; syntax error near unexpected token; out of memory; key error; timeout; unresolved import; cors error; merge conflict; 404 not found; 500 internal server error; infinite loop; memory leak; unhandled promise rejection; division by zero; build failed; goroutine leak; test is flaky; integrity constraint violation; certificate has expired""".split("; ")
CODE_FORMS = [
    "Write a {l} function that {j} {x}.", "write {l} code that {j} {x}", "Implement a {l} program which {j} {x} and returns the result.",
    "Why do I get \"{e}\" in my {l} program?", "My {l} code fails with {e} when it {j} {x}. How do I fix it?", "{e} in {l}, what does it mean",
    "How do I read {x} in {l}?", "What is the time complexity of code that {j} {x}?", "Refactor this {l} function so that it {j} {x} faster.",
    "Write unit tests for a {l} class that {j} {x}.", "Convert this script from {l} to {m}: it {j} {x}.", "Explain line by line what this {l} code does.",
    "Is {l} or {m} better for a program that {j} {x}?", "Debug this: the {l} service dies with {e} after an hour.", "In {l}, how can I test that a function {j} {x}?",
    "Design a {l} api that {j} {x}.", "Review my {l} pull request, it {j} {x}.", "How do I avoid a {e} in {l}?",
    "You are given {x}. Write a program in {l} that {j} it. Input: the first line contains an integer n. Output: print a single integer.",
    "Complete the following {l} function. It {j} {x}. Do not use built-in functions. Include type hints and a docstring.",
]
NAMES = "Anna Ben Carla David Emma Farid Grace Hugo Ines Jonas Kim Liam Maya Nora Omar Priya Quinn Rosa Sam Tom Uma Vera Will Yara Zoe".split()
GOODS = "apples books tickets marbles cookies pencils coins stickers litres of paint chairs eggs stamps flowers balloons miles boxes cards bottles".replace("litres of paint", "litres_of_paint").split()
SUMS = [
    "{a} has {p} {g}. She gives {q} of them to {b} and buys {r} more. How many {g} does she have now?",
    "A train travels {p} kilometres in {r} hours. What is its average speed?", "If {p} {g} cost {q} dollars, how much do {r} {g} cost?",
    "What is {p} percent of {q}?", "Solve for x: {r}x + {p} = {q}.", "Find all real solutions of x^2 - {p}x + {q} = 0.",
    "Compute {p} * {q} - {r}.", "{a} is {r} years older than {b}. In {p} years the sum of their ages will be {q}. How old is {a}?",
    "Find the derivative of f(x) = {p}x^{r} + {q}x.", "Evaluate the integral of {p}x^{r} from 0 to {q}.", "What is the remainder when {q}^{p} is divided by {r}?",
    "A rectangle has a perimeter of {q} cm and a length of {p} cm. Find its area.", "How many ways are there to choose {r} {g} from {p}?",
    "A bag has {p} red and {q} blue {g}. Two are drawn at random. What is the probability that both are red?",
    "Let ABC be a triangle with AB = {p}, BC = {q} and a right angle at B. Find the length of AC.", "Prove that the sum of two odd numbers is even.",
    "Find the greatest common divisor of {p} and {q}.", "The sum of the first {r} terms of an arithmetic sequence is {q}. The first term is {p}. What is the common difference?",
    "Let n be a positive integer such that n^2 + {p} is divisible by {q}. Find the smallest possible value of n.", "Simplify (x^{r} - {p}) / (x - {q}).",
    "{a} and {b} share {q} {g} in the ratio {r} to {p}. How many does each of them get?", "A shop gives {p} percent off. The price was {q} dollars. What does {a} pay?",
    "Find the determinant of the matrix [[{p}, {q}], [{r}, 1]].", "What is the circumference of a circle with radius {p}?",
    "Working together, {a} and {b} can paint a house in {r} days. Alone, {a} needs {p} days. How long does {b} need alone?",
]
ENDS = ["", "", "", "", " Show your steps.", " Please explain your reasoning.", " Think step by step.", " Give the final answer as a number.", " Round to two decimal places."]
STARTS = ["", "", "", "", "", "Hi, ", "hey, ", "Please help: ", "Quick question. ", "Can you help me? ", "Hello! ", "ok so ", "I have been trying for days now. "]
STORY_FORMS = [
    "Write a {k} about {n} who discovers {o}.", "Write the opening scene of a {k} set in {o}, told by {n}.", "Continue the {k}: {n} walked into the room and saw {o}.",
    "Write a {k} in which {n} loses {o} and finds it again.", "I am writing a {k}. My main character is {n}. Describe {o} through their eyes.",
    "Write a {k} for my friend, who loves {o}.", "Give me ten titles for a {k} about {o}.", "Write a dialogue between {n} and {m} about {o}.",
    "Imagine you are {n}. Write a diary entry about {o}.", "Rewrite this {k} in the voice of {n}.", "Write a {k} of about 500 words. It should be about {n} and {o}, with a surprising ending.",
]
STORY_KINDS = "short story; poem; haiku; fairy tale; love story; horror story; detective story; song; screenplay; letter; fantasy novel; science fiction story; limerick; blog post; speech; essay; children's book; monologue; scene; persuasive essay".split("; ")


def code(rng):
    """One request about programming."""
    l, m = rng.sample(LANGUAGES, 2)
    return rng.choice(STARTS) + rng.choice(CODE_FORMS).format(l=l, m=m, x=rng.choice(THINGS), j=rng.choice(JOBS), e=rng.choice(ERRORS))


def sum_(rng):
    """One exercise of school mathematics."""
    a, b = rng.sample(NAMES, 2)
    p, q, r = rng.randint(2, 99), rng.randint(2, 500), rng.randint(2, 12)
    return rng.choice(SUMS).format(a=a, b=b, g=rng.choice(GOODS).replace("_", " "), p=p, q=q, r=r) + rng.choice(ENDS)


def story(rng, people, things):
    """One request for a piece of writing, about words of WordNet."""
    n, m = ("a " + rng.choice(people) for _ in range(2))
    return rng.choice(STORY_FORMS).format(k=rng.choice(STORY_KINDS), n=n, m=m, o="a " + rng.choice(things))
