"""The words of directions: which emotion each names and how strongly, degrees, negations."""

from __future__ import annotations

from conditioning.taxonomy import ALIASES

# How strong a plain name is: "with anger" is as much as "angry".
PLAIN = 0.6

# Category -> intensity -> word forms ("_" stands for a space). The intensities are our judgement of
# ordinary use, on one scale: 0.35 mild, 0.6 plain, 0.8 strong, 0.95 the strongest words there are.
_WORDS: dict[str, dict[float, str]] = {
    "Amusement": {
        0.35: "lighthearted light-hearted lightheartedly lighthearted_fun droll wry wryly",
        0.6: "amused amusedly amusing amusement playful playfully playfulness silly silliness "
        "jovial jovially joviality mirth mirthful mirthfully jesting joking jokingly fun funny "
        "humorous humorously giggling giggly giggles giggle giggled chuckling chuckles chuckle",
        0.8: "laughing laughter laughingly laugh laughs laughed",
        0.95: "hilarious hilarity guffawing guffaws cackle cackles cackling in_stitches",
    },
    "Elation": {
        0.35: "pleased cheery upbeat sunny",
        0.6: "happy happily happiness joyful joyfully joyous joy cheerful cheerfully cheerfulness "
        "delighted delightedly delight merry merrily smiling smile elation",
        0.8: "excited excitedly excitement thrilled gleeful gleefully glee elated elatedly "
        "exhilarated exhilaration bubbly",
        0.95: "overjoyed jubilant jubilantly jubilation exultant euphoric euphoria",
    },
    "Pleasure/Ecstasy": {
        0.6: "pleasure pleasured pleasurable savouring savoring enjoying",
        0.8: "blissful blissfully bliss beatitude beatific",
        0.95: "ecstatic ecstatically ecstasy enraptured rapturous rapture",
    },
    "Contentment": {
        0.35: "fine okay at_ease easygoing laid-back mellow unhurried",
        0.6: "content contented contentedly contentment calm calmly calmness calming relaxed "
        "relaxedly relaxation peaceful peacefully peacefulness satisfied satisfaction serene "
        "serenely serenity tranquil tranquility fulfilled fulfilment fulfillment glad gladly "
        "gladness ease placid soothed comfortable composed",
    },
    "Thankfulness/Gratitude": {
        0.6: "thankful thankfully thankfulness grateful gratefully gratitude appreciative "
        "appreciatively appreciation thanking obliged",
        0.8: "indebted",
    },
    "Affection": {
        0.35: "lovable likeable endearing friendly kind kindly warm warmly warmth polite "
        "respectful gentle gently sweet sweetly",
        0.6: "affectionate affectionately affection caring tender tenderly tenderness "
        "compassionate compassionately compassion sympathetic sympathetically sympathy "
        "trusting trust forgiving forgiveness comforting reassuring reassuringly soothing "
        "soothingly motherly fatherly reverent reverence",
        0.8: "loving lovingly love devoted devotedly devotion cherishing",
    },
    "Infatuation": {
        0.35: "fond fondly fondness charmed",
        0.6: "infatuated infatuation romantic romantically smitten lovestruck crush "
        "romantic_desire enamoured enamored",
        0.8: "in_love adoring adoringly adoration",
        0.95: "besotted lovesick",
    },
    "Hope/Enthusiasm/Optimism": {
        0.35: "encouraged anticipating anticipation lively energetic",
        0.6: "hopeful hopefully hope optimistic optimistically optimism encouraging encouragingly "
        "encouragement determined determinedly determination courageous courage brave bravely "
        "eager eagerly inspired inspiring inspiration motivated resolute expectant",
        0.8: "enthusiastic enthusiastically enthusiasm zealous zeal passionate passionately "
        "rousing fired_up",
        0.95: "fervent fervently fervor fervour",
    },
    "Triumph": {
        0.6: "superior superiority winning victorious",
        0.8: "triumphant triumphantly triumph victoriously victory",
    },
    "Pride": {
        0.35: "self-assured assured assertive",
        0.6: "proud proudly pride dignified dignity honored honoured honor honour confident "
        "confidently self-confident self-confidence boastful smug smugly",
        0.8: "haughty arrogant arrogantly",
    },
    "Interest": {
        0.35: "inquiring inquiringly",
        0.6: "interested interest curious curiously curiosity intrigued intrigue inquisitive",
        0.8: "fascinated fascination captivated riveted",
    },
    "Awe": {
        0.6: "wonder wondrous reverential impressed marvelling marveling",
        0.8: "awe awed awestruck in_awe overawed spellbound",
    },
    "Astonishment/Surprise": {
        0.35: "taken_aback",
        0.6: "surprised surprise surprising startled startlement",
        0.8: "astonished astonishment amazed amazedly amazement astounded stunned shocked shock "
        "dumbfounded",
        0.95: "flabbergasted thunderstruck speechless",
    },
    "Concentration": {
        0.35: "attentive attentively attention",
        0.6: "concentrated concentrating concentration focused focussed focus intent intently "
        "absorbed absorption",
        0.8: "engrossed engrossment deep_focus",
    },
    "Contemplation": {
        0.35: "musing",
        0.6: "contemplative contemplating contemplatively contemplation thoughtful thoughtfully "
        "thoughtfulness pondering reflective reflectively reflection reflecting pensive "
        "pensively pensiveness introspective philosophical",
        0.8: "brooding",
    },
    "Relief": {
        0.35: "eased",
        0.6: "relieved relief comforted comfort solace respite consoled alleviated "
        "alleviation reassured",
        0.8: "liberated liberation",
    },
    "Longing": {
        0.35: "wistful wistfully wistfulness dreamy dreamily",
        0.6: "longing longingly nostalgic nostalgically nostalgia homesick homesickness",
        0.8: "yearning yearningly pining craving",
    },
    "Teasing": {
        0.35: "cheeky cheekily mischievous mischievously",
        0.6: "teasing teasingly tease bantering banter ribbing playful_mocking playfully_mocking "
        "taunting",
    },
    "Impatience and Irritability": {
        0.35: "restless restlessly restlessness testy testily curt curtly",
        0.6: "impatient impatiently impatience irritated irritation irritable irritably "
        "irritability snappy snappish",
        0.8: "exasperated exasperatedly exasperation fed_up",
    },
    "Sexual Lust": {
        0.6: "seductive seductively sultry sensual sensually aroused sexy",
        0.8: "sexual_lust lust lustful lustfully horny",
    },
    "Doubt": {
        0.35: "cautious cautiously hesitant hesitantly hesitation unsure unconvinced reluctant "
        "reluctantly",
        0.6: "doubtful doubtfully doubt doubting doubts uncertain uncertainly uncertainty "
        "skeptical skeptically skepticism sceptical sceptically scepticism wary warily suspicious "
        "suspiciously suspicion distrust",
        0.8: "distrustful mistrustful",
    },
    "Fear": {
        0.35: "nervous nervously nervousness timid timidly apprehensive apprehension jittery",
        0.6: "fear fearful fearfully afraid scared frightened alarmed alarm spooked shaky "
        "trembling shivering",
        0.8: "dread dreading panicky fright",
        0.95: "terrified terror petrified panicked panicking panic horrified horror "
        "scared_to_death",
    },
    "Distress": {
        0.35: "concerned concern uneasy uneasily unease unsettled tense",
        0.6: "worried worriedly worry anxious anxiously anxiety troubled upset trepidation "
        "stressed agitated shaken",
        0.8: "distressed distress distraught",
        0.95: "anguished anguish frantic frantically",
    },
    "Confusion": {
        0.35: "puzzled puzzlement",
        0.6: "confused confusedly confusion perplexed perplexity baffled disoriented "
        "disorientation feeling_lost feels_lost utterly_lost",
        0.8: "bewildered bewilderment",
    },
    "Embarrassment": {
        0.35: "shy shyly shyness bashful bashfully self-conscious sheepish sheepishly",
        0.6: "embarrassed embarrassedly embarrassment awkward awkwardly awkwardness flustered",
        0.95: "mortified mortification",
    },
    "Shame": {
        0.35: "apologetic apologetically",
        0.6: "ashamed shame shameful guilty guiltily guilt remorseful remorse contrite contrition "
        "repentant",
        0.95: "humiliated humiliation disgraced",
    },
    "Disappointment": {
        0.35: "underwhelmed discouraged",
        0.6: "disappointed disappointedly disappointment let_down letdown regretful regretfully "
        "regret disillusioned deflated",
        0.8: "dismayed dismay crestfallen",
    },
    "Sadness": {
        0.35: "glum subdued somber sombre downcast unhappy unhappily",
        0.6: "sad sadly sadness melancholy melancholic gloomy gloomily sorrowful sorrow dejected "
        "dejection mournful mournfully dispirited",
        0.8: "miserable miserably misery depressed heartache grieving",
        0.95: "heartbroken devastated grief grief-stricken despair despairing despairingly "
        "inconsolable",
    },
    "Bitterness": {
        0.6: "bitter bitterly bitterness resentful resentfully resentment cynical cynically "
        "cynicism aggrieved embittered",
        0.8: "acrimonious acrimony rancor rancour rancorous",
    },
    "Contempt": {
        0.35: "disapproving disapprovingly disapproval dismissive dismissively aloof",
        0.6: "contemptuous contemptuously contempt disdainful disdainfully disdain condescending "
        "condescendingly patronizing patronising derisive",
        0.8: "scornful scornfully scorn sneering sneeringly",
    },
    "Disgust": {
        0.35: "distaste",
        0.6: "disgusted disgustedly disgust grossed_out queasy nauseated",
        0.8: "repulsed repulsion revolted sickened",
        0.95: "revulsion abhorrence loathing",
    },
    "Anger": {
        0.35: "annoyed annoyance miffed cross crossly displeased",
        0.6: "angry angrily anger angered mad indignant indignantly hostile",
        0.8: "hate hateful hating outraged outrage aggressive aggressively irate incensed "
        "fuming heated",
        0.95: "furious furiously fury enraged rage raging livid infuriated wrath wrathful seething",
    },
    "Malevolence/Malice": {
        0.35: "mean",
        0.6: "malicious maliciously malice malevolent malevolently malevolence spiteful spitefully "
        "spite gloating schadenfreude villainous sinister wicked vindictive",
        0.8: "cruel cruelly cruelty evil",
        0.95: "sadistic sadistically sadism",
    },
    "Sourness": {
        0.35: "tart tartly tartness",
        0.6: "sour sourly sourness acerbic acerbity acidic sullen sullenly surly",
    },
    "Pain": {
        0.35: "aching ache achy sore",
        0.6: "pain pained painfully hurt hurting wounded wincing",
        0.8: "suffering in_pain",
        0.95: "agony agonized agonised tormented torment in_agony",
    },
    "Helplessness": {
        0.35: "submissive submissively submission meek meekly resigned resignedly",
        0.6: "helpless helplessly helplessness powerless powerlessness vulnerable defeated",
    },
    "Fatigue/Exhaustion": {
        0.35: "sleepy sleepily sluggish",
        0.6: "tired tiredly tiredness fatigue fatigued weary wearily weariness lethargic lethargy "
        "drowsy",
        0.8: "exhausted exhaustedly exhaustion burnout burned_out burnt_out drained worn_out",
    },
    "Emotional Numbness": {
        0.35: "stoic stoically stoicism matter-of-fact unmoved impassive",
        0.6: "numb numbly numbness detached detachedly detachment apathetic apathetically apathy "
        "bored boredom boredly indifferent indifferently indifference emotionless disinterested "
        "uninterested deadpan listless flat",
        0.8: "emotionally_numb emotional_numbness",
    },
    "Intoxication/Altered States of Consciousness": {
        0.35: "tipsy tipsily woozy lightheaded",
        0.6: "intoxicated intoxication dazed altered_states stupor in_a_stupor delirious",
        0.8: "drunk drunkenly drunken being_drunk inebriated stoned",
    },
    "Jealousy & Envy": {
        0.6: "jealous jealously jealousy envious enviously envy covetous covetousness coveting",
    },
}

# Words that name more than one category at once.
_BLENDS: dict[str, dict[str, float]] = {
    # Sadness alone is subdued: low, slow, quiet. Who cries is high and unsteady, as in distress.
    "tearful tearfully tears close_to_tears choked_up": {"Sadness": 0.6, "Distress": 0.4},
    "crying cry cries cried weeping weep weeps sobbing sob sobs in_tears bawling bawled wailing "
    "wails": {
        "Sadness": 0.8,
        "Distress": 0.7,
    },
    "sarcastic sarcastically sarcasm sardonic sardonically ironic ironically snide": {
        "Contempt": 0.5,
        "Teasing": 0.4,
    },
    "mocking mockingly mockery": {"Contempt": 0.5, "Teasing": 0.5},
    "desperate desperately desperation": {"Helplessness": 0.7, "Distress": 0.6},
    "pleading pleadingly begging imploring": {"Helplessness": 0.6, "Distress": 0.4},
    "hopeless hopelessly hopelessness": {"Helplessness": 0.6, "Sadness": 0.6},
    "hysterical hysterically hysteria": {"Distress": 0.9, "Fear": 0.6},
    "overwhelmed": {"Distress": 0.6, "Helplessness": 0.5},
    "frustrated frustratedly frustration": {"Impatience and Irritability": 0.6, "Anger": 0.4},
    "grumpy grumpily grouchy": {"Impatience and Irritability": 0.5, "Sourness": 0.4},
    "sulky sulking pouting": {"Sourness": 0.5, "Disappointment": 0.4},
    "stern sternly": {"Contempt": 0.4, "Anger": 0.3},
    "defiant defiantly defiance": {"Anger": 0.4, "Pride": 0.4},
    "menacing menacingly threatening threateningly": {"Malevolence/Malice": 0.6, "Anger": 0.5},
    "vengeful vengefully vengeance": {"Malevolence/Malice": 0.6, "Anger": 0.6, "Bitterness": 0.4},
    "betrayed": {"Bitterness": 0.5, "Sadness": 0.5, "Anger": 0.4},
    "flirty flirting flirtatious flirtatiously": {"Infatuation": 0.5, "Teasing": 0.5},
    "incredulous incredulously disbelieving disbelief": {
        "Astonishment/Surprise": 0.6,
        "Doubt": 0.5,
    },
    "appalled": {"Disgust": 0.6, "Astonishment/Surprise": 0.6},
    "bittersweet": {"Longing": 0.5, "Sadness": 0.4, "Affection": 0.3},
    "lonely lonesome loneliness": {"Sadness": 0.5, "Longing": 0.4},
    "cold coldly": {"Emotional Numbness": 0.4, "Contempt": 0.4},
    "harsh harshly": {"Anger": 0.5, "Contempt": 0.4},
    "offended insulted": {"Anger": 0.5, "Bitterness": 0.4},
    "accusing accusingly": {"Anger": 0.4, "Doubt": 0.4},
    "urgent urgently": {"Distress": 0.5, "Impatience and Irritability": 0.4},
    "whiny whining": {"Impatience and Irritability": 0.4, "Helplessness": 0.4},
    "creepy creepily": {"Malevolence/Malice": 0.5},
    "heroic heroically": {"Pride": 0.5, "Hope/Enthusiasm/Optimism": 0.5},
    "admiring admiringly admiration": {"Awe": 0.5, "Affection": 0.4},
    "pitying pityingly pity": {"Affection": 0.4, "Sadness": 0.3},
    "sorry": {"Shame": 0.4, "Sadness": 0.3},
    "touched moved": {"Affection": 0.5, "Thankfulness/Gratitude": 0.4},
    "serious seriously solemn solemnly grave gravely earnest earnestly": {
        "Contemplation": 0.4,
        "Concentration": 0.4,
    },
    "pessimistic pessimistically pessimism": {"Doubt": 0.5, "Sadness": 0.35},
    "paranoid": {"Doubt": 0.7, "Fear": 0.6},
    "groggy groggily": {
        "Fatigue/Exhaustion": 0.5,
        "Intoxication/Altered States of Consciousness": 0.4,
    },
}

# Degree phrases before a word multiply its intensity; 1 is the cap.
DEGREES: dict[str, float] = {
    phrase.replace("_", " "): factor
    for factor, phrases in {
        0.3: "barely hardly scarcely a_hint_of hint_of a_touch_of touch_of a_trace_of trace_of "
        "a_tinge_of tinge_of",
        0.45: "slightly slight a_little little a_bit a_bit_of bit a_little_bit a_little_bit_of "
        "somewhat mildly mild faintly faint vaguely vague less half kind_of sort_of",
        0.8: "quite rather fairly moderately moderate pretty",
        1.2: "can't_hide can't_contain cannot_hide cannot_contain unable_to_hide unable_to_contain "
        "barely_hiding barely_containing hardly_hiding not_hiding without_hiding more_than",
        1.3: "very really deeply deep so truly greatly great strongly strong highly more much too "
        "clearly full_of a_lot_of lots_of barely_contained barely_controlled barely_suppressed",
        1.7: "extremely extreme utterly utter completely complete totally total absolutely "
        "absolute incredibly insanely intensely intense pure sheer beyond",
    }.items()
    for phrase in phrases.split()
}

# What they multiply a manner by, where that is something else: "less loud" is quieter than usual,
# and not a little louder.
OF_MANNERS: dict[str, float] = DEGREES | {"less": -0.5}


def phrases(words: str) -> frozenset[str]:
    """The phrases of a list in which "_" stands for a space."""
    return frozenset(phrase.replace("_", " ") for phrase in words.split())


# Words that make the emotion after them count for nothing.
_NEGATIONS = (
    "not no no_longer never without isn't aren't wasn't don't doesn't neither nor "
    "free_of devoid_of instead_of rather_than anything_but far_from nowhere_near none_of nothing "
    "refusing_to_be refuses_to_be hasn't won't_be lacking stripped_of"
)
NEGATIONS = phrases(_NEGATIONS)

# Words that say that what follows is felt and not meant to be heard.
_HELD = (
    "trying_not_to tries_not_to try_not_to trying_not_to_be trying_hard_not_to trying_to_hide "
    "tries_to_hide trying_to_conceal trying_to_suppress hiding hides hidden concealing conceals "
    "concealed masking masks masked suppressing suppresses suppressed repressed repressing "
    "holding_back holds_back holding_in fighting_back fighting fights_back biting_back "
    "choking_back chokes_back swallowing swallows blinking_back not_showing doesn't_show "
    "doesn't_want_to_show won't_show won't_admit not_admitting secret secretly underlying buried "
    "bottled_up bottling_up contained controlled restrained "
    "trying_to_control controlling trying_to_swallow on_the_verge_of on_the_brink_of close_to "
    "about_to"
)
HELD = phrases(_HELD)

# Words that say that what follows is shown and not felt.
_FEIGNED = (
    "pretending_to_be pretends_to_be pretending pretend feigning feigned feigns faking fake fakes "
    "forced forcing false mock put_on putting_on acting_as_if_she_were acting_as_if_he_were sham "
    "phony phoney insincere insincerely"
)
FEIGNED = phrases(_FEIGNED)

NEUTRAL = frozenset({"neutral", "neutrally", "no emotion", "without emotion", "unemotional"})

# Words without a feeling of their own; passing over them need not be reported.
_FILLERS = (
    "a an the and or but yet with in of to by at on for from as if while like than her his their "
    "its your my our she he they it i you me is are was be being been feels feel felt sounding "
    "sounds sound seeming seems still also both even just though although however then almost "
    "tinged mixed tone voice mood manner way emotion emotions feeling feelings "
    "say says saying said speak speaks speaking spoken tell tells telling read reads reading sound "
    "this these those line words it's he's she's they're i'm please someone somebody who all"
)
FILLERS = frozenset(_FILLERS.split()) | {"not only", "not just"}

# Who feels it: a person after one of these, or after a verb, is spoken to or about.
POSSESSIVES = frozenset("his her their my your our its".split())
ARTICLES = POSSESSIVES | frozenset("a an the this that these those some every".split())
DETERMINERS = ARTICLES | {"another"}
TOWARDS = frozenset(
    "to at toward towards about for against with by from over facing before behind after beside "
    "near than".split()
)
BEING = frozenset("is are was were seems seem looks look feels feel".split())
# After these the person is the speaker, for all that they look like verbs.
SPEAKER_VERBS = frozenset(
    "is was as his this has sounds feels seems becomes plays being becoming sounding playing "
    "portraying voicing acting impersonating imitating embodying like channeling channelling "
    "performing always perhaps".split()
)
# Persons and beasts that no persona is made of.
PEOPLE = frozenset(
    "servant servants patient patients baby babies friend friends crowd audience people person "
    "someone somebody client clients pupil pupils class recruit recruits victim victims guest "
    "guests dog cat horse animal fan fans team cop thief mob witness witnesses boss couple "
    "family neighbour colleague colleagues groom cadet cadets troops crew neighbours".split()
)
# ... and nouns that end so ("passenger", "visitor", "scientist", "fireman"), unless they name an
# emotion.
PERSON_ENDINGS = "er", "or", "ist", "man", "men", "woman", "women", "ee", "ian"
NO_PERSONS = frozenset(
    "whisper stutter quaver quiver shiver whimper shudder chatter flutter temper manner matter "
    "letter paper number power order chapter danger hunger tremor tremour fever error laughter "
    "humor vigor fervor fist twist mist gist degree agree human dinner winter summer weather "
    "corner never under after other later ever however together either neither rather whether "
    "another further softer louder slower faster lower higher deeper harder colder warmer darker "
    "quieter floor door monitor mirror center favor rumor quarter order border water river silver "
    "remember consider deliver offer answer wonder suffer simmer glimmer linger stagger falter "
    "waver slumber shelter bitter proper eager clever tender sober somber bored poor".split()
)


def _lexicon() -> dict[str, dict[str, float]]:
    lexicon: dict[str, dict[str, float]] = {}
    for alias, name in ALIASES.items():
        lexicon[alias] = {name: PLAIN}
    for name, strengths in _WORDS.items():
        for intensity, forms in strengths.items():
            for form in forms.split():
                lexicon[_phrase(form)] = {name: intensity}
    for forms, meaning in _BLENDS.items():
        for form in forms.split():
            lexicon[_phrase(form)] = meaning
    return lexicon


def _phrase(form: str) -> str:
    """A form as the reader of directions sees it: lower case, spaces for "_" and "-"."""
    return form.replace("_", " ").replace("-", " ").lower()


LEXICON: dict[str, dict[str, float]] = _lexicon()
