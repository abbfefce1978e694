# A tavern at night: an innkeeper, somebody who runs, and the captain who follows her.
# Directions are attributes of the picture, since players see what stands in parentheses.
# The Yarn form says the same.

define t = Character("Tom", image="tom", voice_tag="tom")
define m = Character("Maeve", image="maeve", voice_tag="maeve")
define c = Character("Captain", image="captain", voice_tag="captain")
define s = Character("Stranger", image="captain", voice_tag="captain")
default gold = 5

# Until pictures of these moods are drawn, one figure stands for all moods of a character.
image tom = Placeholder("boy")
image maeve = Placeholder("girl")
image captain = Placeholder("boy")
define config.adjust_attributes["tom"] = lambda name: name[:1]
define config.adjust_attributes["maeve"] = lambda name: name[:1]
define config.adjust_attributes["captain"] = lambda name: name[:1]

# Beside the script of a game that has a "start" of its own, take out this label.
label start:
    jump tavern

label tavern:
    t @ tired "We are closed. Come back in the morning."
    m @ afraid "Please, let me in. I have nowhere else to go."
    t @ astonished "Maeve? I thought you were dead!"
    m @ exhausted "Not yet. But I have been running all night."
    t @ worried "Who is after you this time?"
    m @ whispering "The captain of the guard. Keep your voice down."
    t @ teasing "You never could choose easy enemies."
    m @ annoyed "This is {b}not{/b} funny!"
    t @ warm "Sit down by the fire. You look like a drowned cat."
    m @ amused "You always knew how to talk to a lady."
    jump fire

label fire:
    menu:
        "What do I owe you for the soup?":
            m "What do I owe you for the soup?"
            t @ kind "From you? Only [gold] coins, and the truth."
            jump fire
        "Do you still have my old sword?":
            m @ hopeful "Do you still have my old sword?"
            t @ proud "It is under the bar, as sharp as ever."
            jump fire
        "Quiet.":
            m @ whispering nervous "Quiet. Did you hear that?"
            jump door

label door:
    s @ shouting furious "Open this door, in the name of the king!"
    t @ whispering afraid "Under the table. Now. Not a sound."
    t @ cheerful "Good evening, Captain! A glass of {i}our best{/i} wine?"
    c @ cold "Where is she, old man?"
    t @ nervous "There is nobody here but me and the cat."
    c @ contemptuous "And your cat drinks from two cups?"
    t @ embarrassed "She is a very thirsty cat."
    c @ shouting angry "Enough! I am tired of your jokes."
    menu:
        "Come out.":
            m @ brave "Leave him alone. I am right here."
        "Stay hidden.":
            m @ whispering terrified "Do not move. Do not even breathe."
            c @ impatient "I can see your boots, girl."
    m @ desperate "I did not steal that letter. I swear it!"
    c @ sad "I know. It was from my brother."
    m @ confused "Your brother? They said he died in the war."
    c @ bitter "They told me the same, seven years ago."
    c @ pleading "Please. Tell me who gave it to you."
    m @ gentle "He did, with his own hand. He is alive, Captain."
    c @ overjoyed "Alive? Oh, thank heaven. He is alive!"
    t @ relieved "Well, I think that calls for a drink."
    c @ delighted "Then pour three glasses. And one for the cat."
    return
