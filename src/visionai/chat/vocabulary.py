"""The words of both languages, by meaning.

Phrases are matched longest first and without regard to case, spaces or hyphens. A Korean phrase of two syllables or
more also matches as the beginning of a word, so stems stand for their endings: 취소 is also 취소해줘.
"""

from __future__ import annotations

from visionai.chat.words import squash

Meaning = tuple[str, str]  # kind, value

# A setting's own name, and the schema keys that trainers use for it, preferred first.
SETTINGS: dict[str, tuple[str, ...]] = {
    "epochs": ("epochs", "num_epochs", "max_epochs", "num_train_epochs"),
    "batch_size": ("batch_size", "batch", "per_device_train_batch_size"),
    "learning_rate": ("learning_rate", "lr", "lr0"),
    "image_size": ("image_size", "imgsz", "img_size", "input_size"),
    "optimizer": ("optimizer", "opt", "optim"),
    "scheduler": ("scheduler", "lr_scheduler", "lr_schedule", "lr_scheduler_type", "sched"),
    "weight_decay": ("weight_decay",),
    "momentum": ("momentum",),
    "warmup": ("warmup_epochs", "warmup", "warmup_ratio", "warmup_steps"),
    "augmentation": ("augmentation", "augment", "aug"),
    "mixup": ("mixup", "mixup_alpha"),
    "cutmix": ("cutmix", "cutmix_alpha"),
    "mosaic": ("mosaic",),
    "flip": ("horizontal_flip", "fliplr", "hflip"),
    "class_weights": ("class_weights",),
    "dropout": ("dropout", "drop_rate", "drop"),
    "drop_path": ("drop_path", "drop_path_rate"),
    "label_smoothing": ("label_smoothing", "smoothing", "label_smoothing_factor"),
    "patience": ("patience", "early_stopping_patience", "early_stopping"),
    "seed": ("seed",),
    "device": ("device",),
    "workers": ("workers", "num_workers", "dataloader_num_workers"),
    "amp": ("amp", "mixed_precision", "precision", "fp16"),
    "pretrained": ("pretrained", "initial_weights", "weights"),
    "ema": ("ema", "model_ema", "use_ema"),
    "freeze": ("freeze", "freeze_backbone"),
    "clip_grad": ("clip_grad", "grad_clip", "max_grad_norm"),
    "accumulation": ("gradient_accumulation_steps", "grad_accum_steps", "accumulate"),
    "validation": ("validation_split", "val_split"),
}

_SETTING_WORDS = {
    "epochs": "epoch | epochs | ep | eps | passes | 에포크 | 에폭",
    "batch_size": "batch | batches | batch size | batch sizes | bs | 배치 | 배치 크기 | 배치 사이즈",
    "learning_rate": "learning rate | learn rate | lr | lr0 | 학습률 | 학습율 | 러닝레이트 | 러닝 레이트",
    "image_size": """
        image size | img size | imgsz | input size | resolution | pixels | px | image resolution | images at
        | 이미지 크기 | 이미지 사이즈 | 입력 크기 | 해상도 | 픽셀""",
    "optimizer": "optimizer | optimiser | optim | 옵티마이저 | 최적화",
    "scheduler": """
        scheduler | schedule | lr schedule | lr scheduler | learning rate schedule | learning rate scheduler
        | 스케줄러 | 스케줄""",
    "weight_decay": "weight decay | wd | 가중치 감쇠",
    "momentum": "momentum | 모멘텀",
    "warmup": "warmup | warm up | warmup epochs | warm up epochs | 워밍업 | 웜업",
    "augmentation": """
        augmentation | augmentations | augment | aug | data augmentation | augmenting
        | 증강 | 데이터 증강""",
    "mixup": "mixup | mix up | 믹스업",
    "cutmix": "cutmix | cut mix | 컷믹스",
    "mosaic": "mosaic | 모자이크",
    "flip": """
        flip | flips | flipping | horizontal flip | horizontal flips | horizontal flipping | flip horizontally
        | flip images | flip the images | flip images horizontally | flip the images horizontally | random flips
        | mirror | mirroring | mirror images | mirror the images | 좌우 반전 | 뒤집기""",
    "class_weights": "class weights | class weighting | weighted loss | 클래스 가중치",
    "dropout": "dropout | drop out | drop rate | 드롭아웃",
    "drop_path": "drop path | droppath | stochastic depth",
    "label_smoothing": "label smoothing | smoothing | 라벨 스무딩 | 레이블 스무딩",
    "patience": "patience | early stopping | early stop | stop early | 조기 종료 | 조기 중단",
    "seed": "seed | random seed | 시드",
    "device": "device | 장치 | 디바이스",
    "workers": "workers | num workers | data loader workers | 워커",
    "amp": "amp | mixed precision | half precision | fp16 | 혼합 정밀도",
    "pretrained": """
        pretrained | pretrained weights | pretraining | pre trained | imagenet weights
        | 사전 학습 | 사전학습된""",
    "ema": "ema | moving average",
    "freeze": "freeze | frozen backbone | freeze the backbone | freeze backbone",
    "clip_grad": "gradient clipping | grad clip | clip grad",
    "accumulation": "gradient accumulation | grad accum | accumulation steps",
    "validation": "validation | validation split | val split | validation set | 검증",
}

# Values that name their setting by themselves.
_OPTION_WORDS = {
    "optimizer=adamw": "adamw | adam w",
    "optimizer=adam": "adam",
    "optimizer=sgd": "sgd",
    "optimizer=rmsprop": "rmsprop",
    "optimizer=lion": "lion",
    "optimizer=lamb": "lamb",
    "scheduler=cosine": "cosine | cosine annealing | cosine decay | 코사인",
    "device=cpu": "cpu | 씨피유",
    "device=cuda": "gpu | cuda | 지피유 | 그래픽카드",
    "pretrained=false": "from scratch | without pretraining | random weights | 처음부터 학습",
}

# Another word for a value, tried where a schema does not list the word itself.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "cuda": ("gpu", "0"),
    "gpu": ("cuda", "0"),
    "heavy": ("strong", "high"),
    "strong": ("heavy", "high"),
    "aggressive": ("strong", "heavy"),
    "weak": ("light", "low"),
    "mild": ("light", "low"),
    "soft": ("light",),
    "basic": ("light",),
    "normal": ("medium", "default"),
    "moderate": ("medium",),
    "no": ("none", "off"),
    "off": ("none", "no"),
    "강한": ("strong", "heavy"),
    "강하게": ("strong", "heavy"),
    "약한": ("light", "weak"),
    "약하게": ("light", "weak"),
    "보통": ("medium", "default"),
    "중간": ("medium",),
}

_TASK_WORDS = {
    "classification": "classification | classifier | image classification | 분류 모델 | 분류기",
    "detection": "detection | object detection | detector | 탐지 | 객체 탐지 | 검출 | 객체 검출",
    "segmentation": "segmentation | instance segmentation | 분할 | 인스턴스 분할 | 세그멘테이션",
    "semantic_segmentation": "semantic segmentation | 의미 분할 | 시맨틱 분할",
    "pose": "pose | pose estimation | keypoints | keypoint detection | 자세 | 포즈 | 키포인트",
    "obb": "obb | oriented boxes | oriented bounding boxes | rotated boxes",
}
_TASK_VERBS = {
    "classification": """
        classify | classifying | recognise | recognize | recognising | recognizing | tell apart
        | tells apart | distinguish
        | sort | categorise | categorize
        | 분류 | 구분 | 구별 | 인식""",
    "detection": "find | detect | detecting | count | counting | locate | spot | 찾아 | 찾는 | 찾고 | 세어 | 위치",
    "segmentation": "segment | segmenting | outline | cut out | 윤곽 | 외곽선",
}

_STATES = {
    "running": "running | in progress | 진행 중인 | 실행 중인",
    "queued": "queued | waiting | pending | 대기 중인",
    "completed": "completed | successful | 완료된 | 완료한",
    "cancelled": "cancelled | canceled | stopped | 취소된 | 중단된",
}
# What the chat does not do, by the place where it is done.
_ELSEWHERE = {
    "upload": """
        upload | upload a | uploading | import | importing | add a dataset | add dataset | add data | add images
        | add photos | new dataset | create a dataset | create dataset | make a dataset
        | 업로드 | 올리 | 올려줄 | 가져오기 | 데이터 추가 | 데이터셋 추가 | 데이터셋 만들 | 데이터 만들""",
    "change": "delete | deleting | erase | rename | edit | share | move | copy | 삭제 | 지워 | 지우 | 이름 변경",
    "label": "label | labels | annotate | annotation | annotations | relabel | label my | split my | 라벨링 | 주석",
    "again": "resume | retry | rerun | repeat | 재개 | 이어서 | 재시도",
    "download": "download | downloading | export | save the model | get the model | 다운로드 | 내려받 | 내보내",
    "predict": """
        predict | prediction | predictions | inference | infer | deploy | deployment | serve | test on | try it on
        | run it on | test the model | test my model | test it | try the model | try it out | 예측 | 추론 | 배포""",
    "install": "install | uninstall | upgrade | 설치",
}
# Beginnings of a question that is not a request in disguise ("can you train …?" is one).
_QUESTIONS = """
    why | how | when | where | who | whose | what | which | should | is | are | does | do i | do we | do you | did | was
    | were | has | am i | would | whats | hows | is it | is there | would it | will it | how long | how much | how many
    | what if | 왜 | 언제 | 어디 | 누가 | 얼마나 | 어떻게
"""

_KINDS = {
    "train": """
        train | training | trained | run | fine tune | finetune | fine tuning | finetuning | teach | build
        | retrain | train again | fit | learn
        | 학습 | 훈련 | 돌려 | 돌리 | 파인튜닝 | 미세 조정""",
    "yes": """
        yes | y | yes please | yep | yeah | yup | sure | ok | okay | okey | go | ok go | go ahead | go for it
        | lets go | let us go | do it | start | start it | begin | launch | confirm | confirmed | correct
        | right | proceed | looks good | sounds good | looks right | look good | lgtm | fine | perfect | great
        | good | please do | ship it | no problem | that works | thats right | that is right | go on | continue
        | 네 | 넵 | 넹 | 네네 | 예 | 응 | 웅 | 어 | 그래 | 그래요 | 좋아 | 좋습니다 | 좋네요 | 시작 | 확인
        | 맞아 | 맞습니다 | 진행해 | 진행하자 | 진행시켜 | 가자 | 오케이 | ㅇㅇ | ㅇㅋ""",
    "no": """
        no | n | nope | nah | not | dont | do not | not yet | not now | wait | hold on | later | no thanks
        | 아니 | 아니요 | 아뇨 | 아니오 | ㄴㄴ | 잠깐 | 잠시만 | 나중에 | 말고 | 하지마 | 하지 마""",
    "reset": """
        start over | start again | start from scratch | start anew | begin again | never mind | nevermind
        | forget it | forget that | forget about it | reset | restart | discard | scrap that | scrap it
        | drop it | clear | scratch that | from the beginning
        | 처음부터 | 처음부터 다시 | 다시 시작 | 됐어 | 됐습니다 | 초기화 | 없던 일로 | 그만둘 | 관두""",
    "unset": "drop | drop the | unset | forget | forget about | undo | clear the",
    "cancel": """
        cancel | stop | stop it | abort | kill | halt | interrupt | terminate | cancelling | canceling | stopping
        | aborting | killing | halting | interrupting | terminating | cancels | stops | cancellation | cancelation
        | 취소 | 중지 | 중단 | 멈춰 | 멈추 | 멈출 | 멈춤 | 멈췄 | 정지 | 그만""",
    "help": """
        help | help me | what can you do | what can i do | what can i say | how does this work
        | how do i start | how do i begin | how do i train | hi | hello | hey | good morning
        | 도움말 | 도와 | 도움 | 뭐 할 수 있어 | 무엇을 할 수 | 사용법 | 어떻게 써 | 어떻게 사용 | 안녕
        | 안녕하세요""",
    "explain": "explain | tell me about | what does | meaning | meaning of | mean | means | how does | 설명 | 뜻",
    "list": """
        list | which | what | how many | how much | how big | how high | whats | what are | what is
        | are there | available | do i have | do we have | have you got | show | show me | show all | see
        | 목록 | 리스트 | 뭐 | 뭐가 | 뭐야 | 뭐뭐 | 무엇 | 무슨 | 어떤 | 어느 | 보여 | 알려 | 있어 | 있나""",
    "status": """
        status | progress | how is | hows | how are | how far | how much longer | going | going on
        | eta | done | finish
        | is it done | done yet | finished | finished yet | is it finished | how did | how well | results
        | result | accuracy so far
        | 어떻게 되고 | 어떻게 돼 | 어떻게 됐 | 되고 있어 | 되어가 | 돼가 | 잘 되고 | 상태 | 진행 | 진행 상황
        | 진행률 | 얼마나 | 끝났 | 결과""",
    "queue": "queue | in the queue | position | waiting list | 대기열 | 순번 | 몇 번째",
    "duration": """
        how long | when will | when does | when is | how much time | how many hours | how many minutes
        | 언제 끝 | 얼마나 걸 | 얼마나 오래 | 몇 시간 | 몇 분""",
    "metric": """
        accuracy | precision | recall | f1 | f1 score | score | map | loss | metric | metrics | performance
        | 정확도 | 성능 | 점수 | 손실 | 지표""",
    "failed": """
        fail | failed | fails | failing | failure | crash | crashed | went wrong | go wrong | broke | error | errors
        | 안 돼 | 안 되 | 실패 | 오류 | 에러 | 잘못""",
    "past": """
        last time | last job | last run | last training | last one i did | previous | previously | previous job
        | previous run | previous training | earlier | before | finished job | 아까 | 지난 | 지난번 | 저번 | 이전
        | 마지막 학습 | 마지막 작업""",
    "thanks": "thanks | thank you | thx | cheers | ty | thanks a lot | many thanks | 감사 | 고마워 | 고맙",
    "recommend": """
        should i use | should i take | should i choose | should we use | recommend | recommended | recommendation
        | suggest | suggestion | suggestions | good model | good models | best model | 추천 | 좋을까""",
    "small": """
        small | smallest | tiny | light | lightweight | little | compact
        | 작은 | 작고 | 가벼운 | 가볍고""",
    "below": """
        less than | fewer than | under | below | smaller than | at most | up to | no more than | not more than
        | 이하 | 미만""",
    "above": "more than | above | at least | larger than | bigger than | no less than | 이상 | 초과",
    "million": "million | millions | mil | 백만",
    "params": "parameters | params | parameter | weights count | 파라미터 | 매개변수",
    "make": """
        make it | make that | make this | make them | set it to | set that to | change it to | change that to
        | how about | what about | why not""",
    "all": "all | every | everything | all of them | 모두 | 모든 | 전부 | 다",
    "change": """
        change | switch | swap | replace | instead | another | other | different
        | 바꿔 | 바꾸 | 변경 | 다른 | 대신""",
    "dataset": """
        dataset | data set | data | images | photos | photo | pictures | picture | photographs | folder | image
        | 데이터 | 데이터셋 | 데이터 셋 | 데이터 세트 | 이미지 | 사진""",
    "datasets": "datasets | data sets | 데이터셋들 | 데이터 목록 | 데이터셋 목록 | 데이터 세트 목록",
    "model": "model | network | architecture | net | backbone | 모델 | 모형 | 네트워크",
    "models": "models | networks | architectures | backbones | 모델들 | 모델 목록",
    "job": "job | my training | the training | the job | current job | 작업 | 학습 작업",
    "jobs": "jobs | trainings | runs | training jobs | my runs | 작업들 | 작업 목록 | 학습 목록",
    "draft": "draft | the draft | plan | 초안",
    "preset": "preset | presets | profile | 프리셋 | 사전 설정",
    "name": "call it | name it | call the job | name the job | job name | 이름은 | 이름을",
    "off": """
        without | disable | disabled | turn off | switch off | off | skip | omit | remove | get rid of | w/o
        | 없이 | 없는 | 끄고 | 꺼줘 | 꺼 | 끄기 | 빼고 | 빼줘 | 안 쓰고 | 사용 안""",
    "enable": "enable | enabled | turn on | switch on | on with | 켜고 | 켜줘 | 켜 | 사용해",
    "default": "default | defaults | the default | 기본값 | 기본",
    "up": """
        more | increase | raise | add | plus | higher | bigger | larger | longer | extra | additional
        | 늘려 | 올려 | 높여 | 키워 | 더""",
    "down": """
        less | fewer | decrease | reduce | lower | smaller | shorter | minus | drop by | cut
        | 줄여 | 낮춰 | 내려 | 덜""",
    "by": "by | 만큼",
    "times": "times | fold | 배",
    "link": """
        of | to | equal | equals | at | as | be | is | set to | around | about
        | 로 | 으로 | 을 | 를 | 은 | 는 | 이 | 가 | 의 | 만 | 도 | 에 | 번 | 짜리 | 정도""",
    "on": "on | from | over | using | use | with | w | via | after | 에서 | 사용 | 써서 | 이용",
    "sep": "and | then | but | also | too | 그리고 | 고 | 하고 | 와 | 과 | 랑 | 이랑 | 근데",
}
_SCALES = {
    "0.5": "half | halve | halved | in half | by half | half of | 절반 | 절반으로 | 반으로",
    "2": "double | doubled | twice | two times | 두배 | 두 배 | 2배",
    "3": "triple | three times | 세배 | 세 배",
    "4": "quadruple | four times",
    "0.1": "a tenth of | one tenth of",
    "0.25": "a quarter of | one quarter of",
}
_ORDINALS = {
    "1": "first | the first | 1st | first one | 첫 번째 | 첫번째 | 처음 거 | 1번",
    "2": "second | 2nd | second one | 두 번째 | 두번째 | 2번",
    "3": "third | 3rd | third one | 세 번째 | 세번째 | 3번",
    "4": "fourth | 4th | fourth one | 네 번째 | 네번째 | 4번",
    "5": "fifth | 5th | fifth one | 다섯 번째 | 다섯번째 | 5번",
    "-1": "last | the last | last one | the last one | 마지막",
}
# Words that carry nothing here. Whatever is in no table is reported as not understood.
_FILLER = """
    a | an | the | my | our | your | their | this | that | these | those | it | its | i | we | you | me | us
    | one | ones | some | any | please | pls | plz | would | could | can
    | will | should | shall | want | wants | like | need | id | ill | im | lets | let | just | only | make | do
    | does | did | give | take | get | put | have | has | set | try | now | again | in | into | for | up | out
    | there | here | so | well | then | oh | um | hmm | uh | if | or | are | was | were | am | been | how | when
    | where | who | why | whether | each | both | maybe | perhaps | actually | really | very | quite | rather
    | simply | new | current | currently | much | many | few | lot | bit | value | number | option
    | choice | setting | settings | hyperparameters | config | configuration | mode
    | version | size | total | yet | still | today | go to | go back | back | kind | type | task
    | best | vs | versus | compare
    | between | something | anything | so far | keep | leave | rest | same | whatever | objects | object
    | things | thing | thats | theres | apart | named | called | uploaded | got | had
    | 해줘 | 해주세요 | 해 | 해줄래 | 하자 | 할래 | 해라 | 하고 싶어 | 싶어 | 시켜 | 시켜줘 | 주세요 | 줘 | 좀
    | 제 | 내 | 우리 | 나의 | 저의 | 이걸 | 그걸 | 이거 | 그거 | 거 | 것 | 걸로 | 그냥 | 다시 | 지금 | 새
    | 새로운 | 한번 | 한 번 | 부탁 | 입력 | 설정 | 옵션 | 값 | 하나 | 개 | 수 | 해서 | 하여 | 합니다
    | 할게 | 할게요 | 된 | 되는 | 돼 | 되 | 요 | 이요 | 이에요 | 예요 | 여기 | 저 | 크기
    | 줄 | 줄래 | 줄래요
"""

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "hundred": 100, "ahundred": 100, "onehundred": 100, "adozen": 12, "dozen": 12,
    "한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10,
    "스무": 20, "스물": 20, "서른": 30, "백": 100,
}  # fmt: skip
_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}

PRESET_WORDS = {
    "quick": ("quick", "fast", "quickly", "빠르게", "빠른"),
    "balanced": ("balanced", "균형"),
    "accurate": ("accurate", "accurately", "정확하게", "정확한"),
}


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split("|")]


def _number_words() -> dict[str, int]:
    ones = dict(list(_NUMBERS.items())[:9])
    joined = {ten + one: tens + amount for ten, tens in _TENS.items() for one, amount in ones.items()}
    return _NUMBERS | _TENS | joined


def _lexicon() -> dict[str, Meaning]:
    """Squashed phrase -> meaning. Where a phrase stands in two tables the later one counts."""
    tables: list[tuple[str, dict[str, str]]] = [
        ("filler", {"": _FILLER}),
        ("verb", _TASK_VERBS),
        ("task", _TASK_WORDS),
        ("option", _OPTION_WORDS),
        ("elsewhere", _ELSEWHERE),
        ("state", _STATES),
        ("ordinal", _ORDINALS),
        ("scale", _SCALES),
        ("setting", _SETTING_WORDS),
    ]
    lexicon = {
        squash(phrase): (kind, value)
        for kind, table in tables
        for value, text in table.items()
        for phrase in _phrases(text)
    }
    for kind, text in _KINDS.items():
        lexicon |= {squash(phrase): (kind, "") for phrase in _phrases(text) if squash(phrase)}
    return lexicon


NUMBER_WORDS = _number_words()
QUESTIONS = {squash(phrase) for phrase in _phrases(_QUESTIONS)}
LEXICON = _lexicon()
