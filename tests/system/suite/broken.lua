scenario "broken" { topics = { numbers = {} }, rolls = {}, expect = { messages { topic = "numbers" } } }
