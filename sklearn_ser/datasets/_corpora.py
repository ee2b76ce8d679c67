"""The table of corpora: one row (`Row`) for each, and no code where file names or a table beside the clips tell all."""

from __future__ import annotations

from ._row import Row

_LETTERS = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "n": "neutral", "s": "sadness"}
_ENGLISH = {"angry": "anger", "anger": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness"}
_ENGLISH |= {"happiness": "happiness", "neutral": "neutral", "sad": "sadness", "sadness": "sadness"}
_ENGLISH |= {"surprise": "surprise", "surprised": "surprise"}
_ITALIAN = {"dis": "disgust", "gio": "happiness", "neu": "neutral", "pau": "fear", "rab": "anger", "sor": "surprise"}
_ITALIAN |= {"tri": "sadness"}
_FRENCH = {"C": "anger", "D": "disgust", "J": "happiness", "N": "neutral", "P": "fear", "S": "surprise", "T": "sadness"}
_MSP = {"A": "anger", "C": "contempt", "D": "disgust", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness"}
_MSP |= {"U": "surprise"}
_BY, _NC_SA, _NC_ND, _ASK = "CC BY 4.0", "CC BY-NC-SA 4.0", "CC BY-NC-ND 4.0", "on request from its authors"


def _only(words: dict[str, str], *codes: str) -> dict[str, str]:
    return {code: words[code] for code in codes}


_ROWS = (
    Row("AESDD", (r"{emotion}{text:\d\d} ({speaker:0?\d}){version:[a-z]?}",), _only(_LETTERS, *"adfhs"), "Greek",
        604, 6,
        "free for research", "http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
        "N. Vryzas, R. Kotsakis, A. Liatsou, C. Dimoulas and G. Kalliris (2018), \"Speech emotion recognition for "
        "performance interaction\", Journal of the Audio Engineering Society 66(6), 457-467.",
        words={"speaker": {"01": "1"}}, notes="The sixth speaker was added later; five clips write speaker 1 as 01."),
    Row("ASED", (r"{emotion}*-{text:\d\d}-{repetition:\d\d}-{sex:0[12]}-{speaker:\d+}",), _only(_LETTERS, *"afhns"),
        "Amharic", 2474, 65, "stated nowhere; ask its authors", "https://github.com/Ethio2021/ASED_V1",
        "E. A. Retta, E. Almekhlafi, R. Sutcliffe, M. Mhamed, H. Ali and J. Feng (2023), \"A new Amharic speech "
        "emotion dataset and classification benchmark\", ACM TALLIP 22(1), 1-22.", female="01", male="02"),
    Row("ASVP-ESD", (r"03-{channel:0[12]}-{emotion}-{intensity:\d+}-{text:\d+}-{speaker:\d+}-*",),
        {"01": "boredom", "02": "neutral", "03": "happiness", "04": "sadness", "05": "anger", "06": "fear",
         "07": "disgust", "08": "surprise", "09": "excitement", "10": "pleasure", "11": "pain", "12": "disappointment",
         "13": "breath"}, "several", 13963, 131, "see its source", "https://zenodo.org/records/7132783",
        "D. T. T. Landry, Q. He, H. Yan and Y. Li (2020), \"ASVP-ESD: a dataset and its benchmark for emotion "
        "recognition using both speech and non-speech utterances\", Global Scientific Journals 8, 1793-1798.",
        female="odd", male="even", words={"channel": {"01": "speech", "02": "non-speech"}},
        notes="From films, television and the web. Speakers and sexes follow the number of the actor; in the folder "
        "'actor_' it is less certain. A 13964th file has the code 17, which has no meaning, and is not loaded."),
    Row("BanglaSER", (r"03-01-{emotion:0[1-5]}-{intensity:0[12]}-{text:0\d}-{repetition:0\d}-{speaker:\d\d}",),
        {"01": "happiness", "02": "sadness", "03": "anger", "04": "surprise", "05": "neutral"}, "Bangla", 1467, 34, _BY,
        "https://data.mendeley.com/datasets/t9h6p943xy",
        "R. K. Das, N. Islam, M. R. Ahmed, S. Islam, S. Shatabda and A. K. M. M. Islam (2022), \"BanglaSER: a speech "
        "emotion recognition dataset for the Bangla language\", Data in Brief 42, 108091.", female="even", male="odd",
        words={"intensity": {"01": "normal", "02": "strong"}}, notes="Names look like those of RAVDESS, codes differ."),
    Row("CaFE", (r"{speaker:\d\d}-{emotion}-{intensity:[12]}-{text:\d}",), _FRENCH, "French", 936, 12, _NC_SA,
        "https://zenodo.org/records/1478765", "P. Gournay, O. Lahaie and R. Lefebvre (2018), \"A Canadian French "
        "emotional speech dataset\", Proc. ACM Multimedia Systems, 399-402, doi:10.1145/3204949.3208121.",
        female="even", male="odd", words={"intensity": {"1": "mild", "2": "strong"}},
        folds="01 07 08 10 / 02 04 09 12 / 03 05 06 11",
        record="1478765/CaFE_48k.zip", notes="Neutral clips have the intensity code 1."),
    Row("CASIA", ("{speaker}/{emotion}/{text}",), _only(_ENGLISH, "angry", "fear", "happy", "neutral", "sad",
        "surprise"),
        "Mandarin", 1200, 4, "on request from the Institute of Automation, Chinese Academy of Sciences",
        "http://www.chineseldc.org", "J. Tao, F. Liu, M. Zhang and H. Jia (2008), \"Design of speech corpus for "
        "Mandarin text to speech\", Proc. Blizzard Challenge Workshop.",
        folds="wangzhe / zhaozuoxiang / liuchanhg / zhaoquanyin"),
    Row("CREMA-D", (r"{speaker:\d\d\d\d}_{text:[A-Z]+}_{emotion}_{intensity:LO|MD|HI|XX|X}",),
        {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "NEU": "neutral", "SAD": "sadness"},
        "English", 7442, 91, "Open Database License 1.0, Database Contents License 1.0",
        "https://github.com/CheyneyComputerScience/CREMA-D", "H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, "
        "A. Nenkova and R. Verma (2014), \"CREMA-D: crowd-sourced emotional multimodal actors dataset\", IEEE "
        "Transactions on Affective Computing 5(4), 377-390, doi:10.1109/TAFFC.2014.2336244.",
        female="1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 "
        "1046 1047 1049 1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 "
        "1091", male="10*", words={"intensity": {"LO": "low", "MD": "medium", "HI": "high", "XX": "", "X": ""}},
        folder="crema-d", fetch="fetch_cremad", notes="Emotions are those that were acted; raters agree with the voice "
        "alone in about four of ten clips (`ratings` has their votes). 1076_MTI_SAD_XX is empty. Six clips in seven "
        "have no intensity."),
    Row("DEMoS", (r"*{speaker:[fm]_\d+}_{emotion}{text:\d*}*",), {**_ITALIAN, "col": "guilt"}, "Italian", 9697, 68,
        _ASK, "https://zenodo.org/records/2544829", "E. Parada-Cabaleiro, G. Costantini, A. Batliner, M. Schmitt and "
        "B. W. Schuller (2020), \"DEMoS: an Italian emotional speech corpus\", Language Resources and Evaluation 54, "
        "341-383, doi:10.1007/s10579-019-09450-y.", female="f_*", male="m_*"),
    Row("EMNS", (), {**_ENGLISH, "excited": "excitement", "sarcastic": "sarcasm"}, "English", 1181, 1, "see its source",
        "https://www.openslr.org/136", "K. A. Noriy, X. Yang and J. J. Zhang (2023), \"EMNS/Imz/Corpus: an emotive "
        "single-speaker dataset for narrative storytelling in games, television and graphic novels\", "
        "arXiv:2305.13137.",
        female="*", constants={"speaker": "3"}, tables={"metadata.csv": "{audio_recording}"},
        columns={"emotion": "emotion", "age": "age", "utterance": "text", "level": "intensity"}),
    Row("EMO-DB", (r"{speaker:03|08|09|1[0-6]}{text:[ab]\d\d}{emotion}{version:[a-z]}",), {"W": "anger", "L": "boredom",
        "E": "disgust", "A": "fear", "F": "happiness", "N": "neutral", "T": "sadness"}, "German", 535, 10, "CC0-1.0",
        "http://emodb.bilderbar.info", "F. Burkhardt, A. Paeschke, M. Rolfes, W. Sendlmeier and B. Weiss (2005), \"A "
        "Database of German Emotional Speech\", Proc. Interspeech, 1517-1520.", female="08 09 13 14 16",
        male="03 10 11 12 15", ages={"03": 31, "08": 34, "09": 21, "10": 32, "11": 26, "12": 30, "13": 32, "14": 35,
        "15": 25, "16": 31}, words={"text": str.lower, "version": str.lower}, folder="emodb", fetch="fetch_emodb",
        notes="Ten sentences; of 816 recorded clips, those were published that at least 0.80 of 20 listeners "
        "recognized, so that classes and speakers are unbalanced. Listeners named the emotion of a published clip in "
        "0.94 of all cases (mean over emotions 0.93), and of a recorded one in 0.85. Speaker 08 has no clip of "
        "disgust: pool the predictions of all folds before scoring."),
    Row("EmoV-DB", (r"{speaker:bea|jenie|josh|sam}*{emotion}*/*_{text:\d+}",
        r"{speaker:bea|jenie|josh|sam}/{emotion}*/*_{text:\d+}"), {"amused": "amusement", "anger": "anger",
        "angry": "anger", "disgust": "disgust", "neutral": "neutral", "sleepi": "sleepiness", "sleepy": "sleepiness"},
        "English", 6887, 4, "free for research, see its source", "https://www.openslr.org/115", "A. Adigwe, N. Tits, "
        "K. El Haddad, S. Ostadabbas and T. Dutoit (2018), \"The emotional voices database: towards controlling the "
        "emotion dimension in voice generation systems\", arXiv:1806.09514.", female="bea jenie", male="josh sam",
        notes="Speakers are told by folders such as bea_Amused; without them nothing is found."),
    Row("EMOVO", (r"{emotion}-{speaker:[fm]\d}-{text:[a-z]\d}",), _ITALIAN, "Italian", 588, 6, "free for research",
        "http://voice.fub.it/activities/corpora/emovo/index.html", "G. Costantini, I. Iaderola, A. Paoloni and M. "
        "Todisco (2014), \"EMOVO corpus: an Italian emotional speech database\", Proc. LREC, 3501-3504.", female="f*",
        male="m*", folds="f2 / m3 / m2 / f3 / f1 / m1"),
    Row("Emozionalmente", (), {**_ENGLISH, "joy": "happiness", "neutrality": "neutral"}, "Italian", 6902, 431, _BY,
        "https://zenodo.org/records/6569824", "F. Catania, J. W. Wilke and F. Garzotto (2025), \"Emozionalmente: a "
        "crowdsourced corpus of simulated emotional speech in Italian\", IEEE TASLP 33, 1142-1155.",
        record="6569824/emozionalmente_dataset.zip", tables={"samples.csv": "{file_name}"},
        people={"users.csv": "username"},
        columns={"emotion_expressed": "emotion", "actor": "speaker", "gender": "sex", "age": "age", "sentence":
        "text"}),
    Row("eNTERFACE", (r"s{speaker:\d+}_{emotion}_{text:\d}*", r"s_{speaker:\d+}_{emotion}_{text:\d}",
        r"s{speaker:\d+}_{emotion}"), {"an": "anger", "di": "disgust", "fe": "fear", "ha": "happiness", "sa": "sadness",
        "su": "surprise"}, "English", 1263, 44, "free for research", "http://www.enterface.net/enterface05",
        "O. Martin, I. Kotsia, B. Macq and I. Pitas (2006), \"The eNTERFACE'05 audio-visual emotion database\", Proc. "
        "ICDE Workshops, doi:10.1109/ICDEW.2006.145.", notes="Published as AVI, which the extra 'formats' reads. "
        "Subject 6 has one recording an emotion, of all sentences. Speakers are of many nations."),
    Row("ESD", (r"{emotion}/{speaker:00\d\d}_{text:\d+}", r"{emotion}/*/{speaker:00\d\d}_{text:\d+}"),
        _only(_ENGLISH, "angry", "happy", "neutral", "sad", "surprise"), {"Mandarin": "000? 0010", "English": "00??"},
        35000, 20, "free for research", "https://hltsingapore.github.io/ESD/", "K. Zhou, B. Sisman, R. Liu and H. Li "
        "(2022), \"Emotional voice conversion: theory, databases and ESD\", Speech Communication 137, 1-18.",
        female="0001 0002 0003 0007 0009 0015 0016 0017 0018", male="0004 0005 0006 0008 0010 0011 0013 0014 0020",
        notes="Two descriptions differ about the sexes of the speakers 0012 and 0019, which are left open."),
    Row("IEMOCAP", (), {"ang": "anger", "dis": "disgust", "exc": "happiness", "fea": "fear", "hap": "happiness",
        "neu": "neutral", "sad": "sadness", "sur": "surprise"}, "English", 5680, 10,
        "on request from the Signal Analysis and Interpretation Laboratory, USC", "https://sail.usc.edu/iemocap/",
        "C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang, S. Lee and S. S. Narayanan "
        "(2008), \"IEMOCAP: Interactive emotional dyadic motion capture database\", Language Resources and Evaluation "
        "42(4), 335-359, doi:10.1007/s10579-008-9076-6.", female="*F", male="*M", loader="load_iemocap",
        notes="The usual four classes have 1103 turns of anger, 1636 of happiness with excitement, 1708 neutral and "
        "1084 of sadness. Turns labeled with frustration, other or no agreement are left out. The two actors of a "
        "session answer each other, so that leaving one session out is the stricter split.",
        folds="Ses01F Ses01M / Ses02F Ses02M / Ses03F Ses03M / Ses04F Ses04M / Ses05F Ses05M"),
    Row("JL", (r"{speaker:(?:fe)?male\d}_{emotion}_{text:\d+[ab]}_{repetition:\d+}",), {"angry": "anger",
        "anxious": "anxiety", "apologetic": "apology", "assertive": "assertiveness", "concerned": "concern",
        "encouraging": "encouragement", "excited": "excitement", "happy": "happiness", "neutral": "neutral",
        "sad": "sadness"}, "English", 2400, 4, "CC0-1.0", "https://www.kaggle.com/datasets/tli725/jl-corpus",
        "J. James, L. Tian and C. I. Watson (2018), \"An open source emotional speech corpus for human robot "
        "interaction applications\", Proc. Interspeech, 2768-2772, doi:10.21437/Interspeech.2018-1349.",
        female="female*", male="male*", folder="jlcorpus", folds="male2 / female1 / male1 / female2"),
    Row("MEAD", (r"{speaker:[MW]\d+}/audio/{emotion}/level_{intensity:\d}/{text:\d+}",), {**_ENGLISH,
        "contempt": "contempt", "disgusted": "disgust"}, "English", 31729, 48, "free for research",
        "https://github.com/uniBruce/Mead", "K. Wang, Q. Wu, L. Song, Z. Yang, W. Wu, C. Qian, R. He, Y. Qiao and "
        "C. C. Loy (2020), \"MEAD: a large-scale audio-visual dataset for emotional talking-face generation\", Proc. "
        "ECCV, 700-717.", female="W*", male="M*", notes="M4A, which the extra 'formats' reads."),
    Row("MELD", (), {**_ENGLISH, "joy": "happiness"}, "English", 13706, 304, "GPL-3.0 for the labels; excerpts of a "
        "television series", "https://affective-meld.github.io", "S. Poria, D. Hazarika, N. Majumder, G. Naik, "
        "E. Cambria and R. Mihalcea (2019), \"MELD: a multimodal multi-party dataset for emotion recognition in "
        "conversations\", Proc. ACL, 527-536.", tables={
        "train_sent_emo.csv": "train_splits/dia{Dialogue_ID}_utt{Utterance_ID}",
        "dev_sent_emo.csv": "dev_splits_complete/dia{Dialogue_ID}_utt{Utterance_ID}",
        "test_sent_emo.csv": "output_repeated_splits_test/dia{Dialogue_ID}_utt{Utterance_ID}"},
        columns={"Emotion": "emotion", "Speaker": "speaker", "Utterance": "text", "Dialogue_ID": "dialog"},
        notes="MP4, which the extra 'formats' reads. A few labelled files are missing or damaged as published."),
    Row("MESD", (r"{emotion}_{sex:[FMC]}_{part:[AB]}_{text}",), _only(_ENGLISH, "anger", "disgust", "fear", "happiness",
        "neutral", "sadness"), "Spanish", 862, None, _BY, "https://data.mendeley.com/datasets/cy34mh68j9",
        "M. M. Duville, L. M. Alonso-Valerdi and D. I. Ibarra-Zarate (2021), \"The Mexican emotional speech database "
        "(MESD): elaboration and assessment based on machine learning\", Proc. IEEE EMBC, 1644-1647.", female="F",
        male="M", notes="Single words. Names tell no speaker; children (code C) have no sex."),
    Row("MSP-IMPROV", (), _only(_MSP, *"AHNS"), "English", 7798, 12, _ASK,
        "https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html", "C. Busso, S. Parthasarathy, "
        "A. Burmania, M. AbdelWahab, N. Sadoughi and E. M. Provost (2017), \"MSP-IMPROV: an acted corpus of dyadic "
        "interactions to study emotion perception\", IEEE Transactions on Affective Computing 8(1), 67-80, "
        "doi:10.1109/TAFFC.2016.2515617.", female="F*", male="M*", loader="load_msp_improv"),
    Row("MSP-Podcast", (), _MSP, "English", 73042, 1273, _ASK,
        "https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html", "R. Lotfian and C. Busso (2019), "
        "\"Building naturalistic emotionally balanced speech corpus by retrieving emotional speech from existing "
        "podcast recordings\", IEEE Transactions on Affective Computing 10(4), 471-483, "
        "doi:10.1109/TAFFC.2017.2736999.",
        female="Female", male="Male", loader="load_msp_podcast", notes="Counts are those of one release; it grows."),
    Row("nEMO", (r"{speaker:[A-Z][A-Z]\d}_{emotion}_{text:\d+}",), {**_ENGLISH}, "Polish", 4481, 9, _NC_SA,
        "https://github.com/amu-cai/nEMO", "I. Christop (2024), \"nEMO: dataset of emotional speech in Polish\", Proc. "
        "LREC-COLING, 12111-12116.", female="EB0 IC0 KD0 MK0", male="KS0 MP0 SM0 TP0 WR0", ages={"EB0": 27, "IC0": 28,
        "KD0": 28, "KS0": 23, "MK0": 23, "MP0": 24, "SM0": 24, "TP0": 26, "WR0": 23}, fetch="fetch_nemo"),
    Row("Oréau", (r"{sex:[fm]}/*/{speaker:\d\d}{text:[a-z]\d\d}{emotion}{version:[a-z]}",
        r"{speaker:\d\d}{text:[a-z]\d\d}{emotion}{version:[a-z]}"), _FRENCH, "French", 434, 32, _BY,
        "https://zenodo.org/records/4405783", "L. Kerkeni, C. Cleder, Y. Serrestou and K. Raoof (2020), \"French "
        "emotional speech database - Oréau\", Zenodo, doi:10.5281/zenodo.4405783.", female="f", male="m",
        folder="oreau", notes="Sexes are told by the folders f and m."),
    Row("PAVOQUE", (), {**_ENGLISH, "poker": "poker"}, "German", 7334, 1, _NC_SA,
        "https://github.com/marytts/pavoque-data", "I. Steiner, M. Schröder and A. Klepp (2013), \"The PAVOQUE "
        "corpus as a resource for analysis and synthesis of expressive speech\", Proc. Phonetik & Phonologie 9.",
        male="*",
        constants={"speaker": "1"}, tables={"pavoque-*.yaml": "{table}"},
        columns={"style": "emotion", "text": "text", "prompt": "prompt", "start": "start", "end": "end"},
        notes="Long FLAC files; each row is a part of one, from `start` to `end`. 'Poker' is a cool, detached style."),
    Row("Polish", (r"{speaker:[fm]\d}.{emotion}_{text}_{repetition:\d+}",), {"a": "anger", "n": "neutral", "s": "fear"},
        "Polish", 450, 5, "see its source", "https://mostwiedzy.pl/en/open-research-data/"
        "emotions-in-polish-speech-recordings,11190523461146169-0", "M. Miesikowska and D. Swisulski (2020), "
        "\"Emotions in Polish speech recordings\", Gdańsk University of Technology.", female="f*",
        male="m*", folds="m3 / m2 / m4 / m5 / m1", notes="Single words. The code s is fear (strach), as EmoBox reads "
        "it."),
    Row("RAVDESS", (r"03-{channel:0[12]}-{emotion:0[1-8]}-{intensity:0[12]}-{text:0[12]}-{repetition:0[12]}-"
        r"{speaker:0[1-9]|1\d|2[0-4]}",), {"01": "neutral", "02": "calm", "03": "happiness", "04": "sadness",
        "05": "anger", "06": "fear", "07": "disgust", "08": "surprise"}, "English", 1440, 24, _NC_SA,
        "https://zenodo.org/records/1188976", "S. R. Livingstone and F. A. Russo (2018), \"The Ryerson Audio-Visual "
        "Database of Emotional Speech and Song (RAVDESS)\", PLoS ONE 13(5), e0196391.", female="even", male="odd",
        words={"channel": {"01": "speech", "02": "song"}, "intensity": {"01": "normal", "02": "strong"},
        "text": {"01": "kids", "02": "dogs"}}, fetch="fetch_ravdess", notes="1440 clips of speech; 1012 of song beside "
        "them, by 23 actors (18 did not sing) and without disgust and surprise. Two sentences, twice each, at two "
        "intensities, neutral at one. Five files of speech are stereo, two are identical, some are very quiet.",
        folds="01 11 20 21 / 04 10 12 14 / 08 09 19 23 / 03 05 07 24 / 02 15 16 18 / 06 13 17 22"),
    Row("RESD", (r"{dialog:\d+}_*_{emotion}_{offset:\d+}", r"{dialog:\d+}_* {emotion}_{offset:\d+}"), {**_LETTERS,
        "e": "enthusiasm"}, "Russian", 1396, None, "MIT", "https://huggingface.co/datasets/Aniemore/resd_annotated",
        "A. Amentes, I. Lubenets and N. Davidchuk (2022), \"Open artificial intelligence library for analyzing and "
        "identifying emotional shades of human speech\", Hugging Face.", notes="Names tell no speaker. The two actors "
        "of a dialog are on both sides of a split unless `dialog` is taken for groups."),
    Row("SAVEE", (r"{speaker:DC|JE|JK|KL}_{emotion}{text:\d\d}", r"{speaker:DC|JE|JK|KL}/{emotion}{text:\d\d}"),
        {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "n": "neutral", "sa": "sadness", "su":
        "surprise"},
        "English", 480, 4, "free for research, on registration", "http://kahlan.eps.surrey.ac.uk/savee/",
        "S. Haq and P. J. B. Jackson (2009), \"Speaker-dependent audio-visual emotion recognition\", Proc. AVSP, "
        "53-58.",
        male="*", folds="JE / KL / DC / JK"),
    Row("ShEMO", (r"{speaker:[FM]\d\d}{emotion}{text:\d+}",), {"A": "anger", "F": "fear", "H": "happiness",
        "N": "neutral", "S": "sadness", "W": "surprise"}, "Persian", 2838, 87, "free for academic use",
        "https://github.com/mansourehk/ShEMO", "O. Mohamad Nezami, P. Jamshid Lou and M. Karami (2019), \"ShEMO: a "
        "large-scale validated database for Persian speech emotion detection\", Language Resources and Evaluation 53, "
        "1-16, doi:10.1007/s10579-018-9427-x.", female="F*", male="M*", notes="3000 clips are published; EmoBox found "
        "2838."),
    Row("SUBESCO", (r"{speaker:[FM]_\d\d}_*_S_{text:\d+}_{emotion}_{repetition:\d}*",), _only(_ENGLISH, "angry",
        "disgust", "fear", "happy", "neutral", "sad", "surprise"), "Bangla", 7000, 20, _BY,
        "https://zenodo.org/records/4526477", "S. Sultana, M. S. Rahman, M. R. Selim and M. Z. Iqbal (2021), \"SUST "
        "Bangla emotional speech corpus (SUBESCO)\", PLoS ONE 16(4), e0250173.", female="F_*", male="M_*",
        record="4526477/SUBESCO.zip",
        folds="F_03 M_03 M_08 M_09 / F_01 F_04 F_10 M_07 / F_06 F_08 M_05 M_06 / F_05 F_07 F_09 M_04 / "
        "F_02 M_01 M_02 M_10"),
    Row("TESS", (r"{speaker:OAF|YAF|OA}_{text:[a-z']+}_{emotion}",), {**_only(_ENGLISH, "angry", "disgust", "fear",
        "happy", "neutral", "sad"), "ps": "surprise"}, "English", 2800, 2, _NC_ND,
        "https://doi.org/10.5683/SP2/E8H2MF", "M. K. Pichora-Fuller and K. Dupuis (2020), \"Toronto emotional speech "
        "set (TESS)\", Borealis, doi:10.5683/SP2/E8H2MF.", female="*", ages={"OAF": 64, "YAF": 26},
        words={"speaker": {"oaf": "OAF", "oa": "OAF", "yaf": "YAF"}, "text": str.lower}, fetch="fetch_tess",
        notes="200 words in a carrier phrase. OAF_food_fear is sampled at 96 kHz; YAF_germ_angry and YAF_neat_fear are "
        "AIFF inside; OA_bite_neutral is one of OAF. With two speakers, leaving one out trains on a single voice."),
    Row("TurEV-DB", (r"{speaker:\d+}_{emotion}_{text}",), {"hl": "sadness", "kz": "anger", "mt": "happiness",
        "sk": "calm"}, "Turkish", 1735, 6, "stated nowhere; ask its authors", "https://github.com/Xeonen/TurEV-DB",
        "S. F. Canpolat, Z. Ormanoglu and D. Zeyrek (2020), \"Turkish emotion voice database (TurEV-DB)\", Proc. SLTU, "
        "368-375.", notes="Single words."),
    Row("URDU", (r"{speaker:S[FM]\d+}_F{clip:\d+}_{emotion}{text:\d+}",), _only(_LETTERS, *"ahns"), "Urdu", 400, 29,
        "stated nowhere; ask its authors", "https://github.com/siddiquelatif/URDU-Dataset", "S. Latif, A. Qayyum, "
        "M. Usman and J. Qadir (2018), \"Cross lingual speech emotion recognition: Urdu vs. Western languages\", Proc. "
        "FIT, 88-93.", female="SF*", male="SM*", notes="The paper counts 38 speakers, the names 29."),
)  # fmt: skip
CORPORA = {row.key: row for row in _ROWS}
