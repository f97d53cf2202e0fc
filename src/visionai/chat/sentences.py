"""Everything the chat says, in both languages. A test keeps their placeholders equal."""

from __future__ import annotations

from visionai.chat.types import Language

MESSAGES: dict[str, dict[Language, str]] = {
    # questions
    "ask_dataset_id": {
        "en": "Which data set should it be trained on?",
        "ko": "어떤 데이터셋으로 학습할까요?",
    },
    "ask_task_type": {
        "en": "What should the model do?",
        "ko": "모델이 어떤 일을 해야 하나요?",
    },
    "ask_framework": {
        "en": "More than one trainer has {model}. Which one?",
        "ko": "{model} 모델이 여러 트레이너에 있습니다. 어느 것으로 할까요?",
    },
    "ask_model_name": {
        "en": "Which model? A few good ones to begin with:",
        "ko": "어떤 모델로 할까요? 먼저 써 볼 만한 모델:",
    },
    "ask_model_like": {
        "en": "Several models fit “{words}”. Which one?",
        "ko": "“{words}”에 맞는 모델이 여러 개입니다. 어느 것으로 할까요?",
    },
    "ask_dataset_like": {
        "en": "Several data sets fit “{words}”. Which one?",
        "ko": "“{words}”에 맞는 데이터셋이 여러 개입니다. 어느 것으로 할까요?",
    },
    "ask_close": {"en": "Did you mean one of these?", "ko": "혹시 이 중에 있나요?"},
    "ask_cancel": {"en": "Which training should be cancelled?", "ko": "어떤 학습을 취소할까요?"},
    "ask_show": {"en": "Which training do you mean?", "ko": "어떤 학습을 말씀하시나요?"},
    "ask_value": {
        "en": "What should {name} be instead? (“default” takes the default: {default}.)",
        "ko": "{name} 값을 얼마로 할까요? (“기본값”이라고 하시면 기본값으로 합니다: {default}.)",
    },
    "ask_value_again": {
        "en": "What should {name} be? It can be: {bounds}. (“default” takes the default: {default}.)",
        "ko": "{name} 값을 얼마로 할까요? 가능한 값: {bounds}. (“기본값”이라고 하시면 기본값으로 합니다: {default}.)",
    },
    "ask_small_model": {
        "en": "Which model? Small ones, the smallest first:",
        "ko": "어떤 모델로 할까요? 작은 모델부터:",
    },
    "default": {"en": "default", "ko": "기본값"},
    "default_label": {"en": "Default ({default})", "ko": "기본값 ({default})"},
    "default_empty": {"en": "left to the trainer", "ko": "트레이너가 정함"},
    "defaulted": {"en": "{name} is at its default: {default}.", "ko": "{name}: 기본값({default})으로 되돌렸습니다."},
    "ask_which_number": {
        "en": "There is no choice {number}: it goes from 1 to {count}.",
        "ko": "{number}번은 없습니다. 1부터 {count}까지 고를 수 있습니다.",
    },
    # the draft
    "draft": {
        "en": "Train {model} ({framework}, {task}) on {dataset}: {settings}.",
        "ko": "학습 계획: {dataset} 데이터셋, {task}, {model} ({framework}), {settings}.",
    },
    "draft_named": {"en": "Its name: {name}.", "ko": "이름: {name}."},
    "draft_limits": {"en": "Limits: {limits}.", "ko": "제한: {limits}."},
    "said_time_limit": {"en": "at most {time}", "ko": "최대 {time}"},
    "said_keep_every": {"en": "a checkpoint kept every {count} epochs", "ko": "{count} 에포크마다 체크포인트 보관"},
    "said_keep_each": {"en": "a checkpoint kept of every epoch", "ko": "에포크마다 체크포인트 보관"},
    "said_retries": {"en": "retries: at most {count}", "ko": "재시도 최대 {count}번"},
    "said_no_retries": {"en": "no retries", "ko": "재시도 없음"},
    "limit_time_limit_seconds": {"en": "time limit", "ko": "시간 제한"},
    "limit_keep_every": {"en": "epochs between kept checkpoints", "ko": "체크포인트를 보관할 에포크 간격"},
    "limit_max_retries": {"en": "retries", "ko": "재시도"},
    "limit_of_running": {
        "en": "Nothing is changed: limits are set before a training starts. When the time has come, say “stop {job}”, "
        "or say what to train under that limit.",
        "ko": "바뀐 것은 없습니다. 제한은 학습을 시작하기 전에 정합니다. 때가 되면 “{job} 중단”이라고 하시거나, 그 "
        "제한으로 무엇을 학습할지 말씀해 주세요.",
    },
    "draft_images": {
        "en": "{name} ({images} images, {classes} classes)",
        "ko": "{name} (이미지 {images}장, 클래스 {classes}개)",
    },
    "draft_defaults": {"en": "all settings at their defaults", "ko": "모든 설정은 기본값"},
    "draft_others": {"en": "{settings}; the rest at its defaults", "ko": "{settings}, 나머지는 기본값"},
    "confirm": {
        "en": "Start it? Say “yes”, or say what to change.",
        "ko": "시작할까요? “네”라고 하시거나, 바꿀 점을 말씀해 주세요.",
    },
    "confirm_plain": {
        "en": "I have not started yet, since I did not understand all of that. A plain “yes” starts it.",
        "ko": "이해하지 못한 말이 있어 아직 시작하지 않았습니다. “네”라고만 하시면 시작합니다.",
    },
    "so_far": {"en": "So far: {parts}.", "ko": "지금까지: {parts}."},
    "starting": {"en": "Starting {model} on {dataset}.", "ko": "{dataset} 데이터셋으로 {model} 학습을 시작합니다."},
    "not_started": {
        "en": "Not started. What should be different? (“start over” drops the draft.)",
        "ko": "시작하지 않았습니다. 무엇을 바꿀까요? (“처음부터”라고 하시면 계획을 버립니다.)",
    },
    "dropped": {"en": "The draft is dropped; nothing was started.", "ko": "계획을 버렸습니다. 시작한 것은 없습니다."},
    "dropped_jobs_run": {
        "en": "The draft is dropped. Running trainings go on; “stop the training” stops one.",
        "ko": "계획을 버렸습니다. 진행 중인 학습은 계속됩니다. 멈추려면 “학습 중단”이라고 하세요.",
    },
    "nothing_to_drop": {
        "en": "There is no draft. Say what to train.",
        "ko": "작성 중인 계획이 없습니다. 무엇을 학습할지 말씀해 주세요.",
    },
    "nothing_to_confirm": {
        "en": "There is nothing to start yet. Say what to train, for instance: “{example}”.",
        "ko": "아직 시작할 것이 없습니다. 예를 들어 이렇게 말씀해 주세요: “{example}”.",
    },
    "still_installing": {
        "en": "{framework} is still being installed. I keep the draft; it can be started as soon as that is done.",
        "ko": "{framework} 설치가 아직 진행 중입니다. 계획은 그대로 두며, 설치가 끝나면 바로 시작할 수 있습니다.",
    },
    "models_not_known": {
        "en": "Whether {framework} has {model} can only be checked once it is installed.",
        "ko": "{framework}에 {model} 모델이 있는지는 설치가 끝나야 확인할 수 있습니다.",
    },
    "config_lost": {
        "en": "{framework} has no such setting, so these were dropped: {keys}.",
        "ko": "{framework}에는 없는 설정이라 뺐습니다: {keys}.",
    },
    "model_dropped": {
        "en": "{model} does not do {task}, so another model is needed.",
        "ko": "{model} 모델은 {task} 작업을 할 수 없어 다른 모델이 필요합니다.",
    },
    # what is wrong
    "no_dataset_like": {"en": "There is no data set called “{words}”.", "ko": "“{words}”라는 데이터셋이 없습니다."},
    "no_datasets": {
        "en": "There is no data set yet. Upload one first: a zip with a folder of images per class.",
        "ko": "아직 데이터셋이 없습니다. 먼저 클래스별 이미지 폴더를 zip으로 업로드해 주세요.",
    },
    "no_dataset_ready": {
        "en": "No data set is ready yet: {states}.",
        "ko": "준비된 데이터셋이 아직 없습니다: {states}.",
    },
    "dataset_uploading": {
        "en": "{name} is still being uploaded; it can be trained on when the upload is complete and checked.",
        "ko": "{name} 데이터셋은 아직 업로드 중입니다. 업로드와 검사가 끝나면 학습할 수 있습니다.",
    },
    "dataset_processing": {
        "en": "{name} is still being checked and unpacked; it can be trained on when that is done.",
        "ko": "{name} 데이터셋은 아직 검사 중입니다. 끝나면 학습할 수 있습니다.",
    },
    "dataset_error": {
        "en": "{name} cannot be trained on: {reason}",
        "ko": "{name} 데이터셋은 학습할 수 없습니다: {reason}",
    },
    "import_failed": {"en": "its import failed.", "ko": "가져오기에 실패했습니다."},
    "weights_missing": {
        "en": "There are no pretrained weights of {model} on this machine and none may be fetched, so it can only be "
        "trained from scratch. (ALLOW_DOWNLOADS=true lets the server fetch them.)",
        "ko": "{model} 모델의 사전 학습 가중치가 이 컴퓨터에 없고 내려받을 수도 없어 처음부터만 학습할 수 있습니다. "
        "(서버에 ALLOW_DOWNLOADS=true를 설정하면 내려받을 수 있습니다.)",
    },
    "dataset_other": {
        "en": "{name} cannot be trained on now: its status is {status}.",
        "ko": "{name} 데이터셋은 지금 학습할 수 없습니다. 상태: {status}.",
    },
    "dataset_gone": {"en": "{name} does not exist any more.", "ko": "{name} 데이터셋이 더 이상 없습니다."},
    "dataset_task": {
        "en": "{name} is labelled for {tasks}, not for {task}.",
        "ko": "{name} 데이터셋의 라벨은 {tasks}용이며 {task}용이 아닙니다.",
    },
    "no_trainer": {
        "en": "No installed trainer does {task} yet.",
        "ko": "설치된 트레이너 중 {task} 작업을 할 수 있는 것이 아직 없습니다.",
    },
    "no_trainer_but": {
        "en": "No installed trainer does {task} yet. {framework} would, but it is not installed.",
        "ko": "아직 {task} 작업을 할 트레이너가 없습니다. {framework}에는 있지만 설치되어 있지 않습니다.",
    },
    "no_trainers": {"en": "No trainer is installed yet.", "ko": "설치된 트레이너가 아직 없습니다."},
    "framework_absent": {"en": "{framework} is not installed.", "ko": "{framework} 트레이너가 설치되어 있지 않습니다."},
    "framework_error": {
        "en": "{framework} is installed but cannot be used: it failed to load.",
        "ko": "{framework} 트레이너를 불러오지 못해 쓸 수 없습니다.",
    },
    "framework_task": {
        "en": "{framework} does not do {task}.",
        "ko": "{framework} 트레이너는 {task} 작업을 하지 않습니다.",
    },
    "no_model_like": {"en": "There is no model called “{words}”.", "ko": "“{words}”라는 모델이 없습니다."},
    "model_framework": {"en": "{framework} has no model {model}.", "ko": "{framework}에는 {model} 모델이 없습니다."},
    "no_preset": {"en": "{framework} has no preset {preset}.", "ko": "{framework}에는 {preset} 프리셋이 없습니다."},
    "which_preset": {"en": "Which preset? {presets}.", "ko": "어떤 프리셋인가요? {presets}."},
    "no_such_setting": {
        "en": "{framework} has no setting for “{words}”; it was left out.",
        "ko": "{framework}에는 “{words}”에 해당하는 설정이 없어 넣지 않았습니다.",
    },
    "value_refused": {
        "en": "{name} “{value}” was not taken; it can be: {bounds}.",
        "ko": "{name} 값 “{value}”은(는) 쓸 수 없습니다. 가능한 값: {bounds}.",
    },
    "value_missing": {
        "en": "{name}: to what? It can be: {bounds}.",
        "ko": "{name}: 얼마로 할까요? 가능한 값: {bounds}.",
    },
    "nothing_to_scale": {
        "en": "{name} is chosen automatically, so there is nothing to multiply; it can be: {bounds}.",
        "ko": "{name} 값은 자동으로 정해지므로 배수를 적용할 수 없습니다. 가능한 값: {bounds}.",
    },
    "cannot_off": {
        "en": "{name} cannot be turned off; it can be: {bounds}.",
        "ko": "{name}은(는) 끌 수 없습니다. 가능한 값: {bounds}.",
    },
    "cannot_on": {
        "en": "{name}: which one? It can be: {bounds}.",
        "ko": "{name}: 어느 것으로 할까요? 가능한 값: {bounds}.",
    },
    "bounds_enum": {"en": "{values}", "ko": "{values}"},
    "bounds_boolean": {"en": "on or off", "ko": "on 또는 off"},
    "bounds_integer": {"en": "a whole number", "ko": "정수"},
    "bounds_low": {"en": "at least {value}", "ko": "{value} 이상"},
    "bounds_high": {"en": "at most {value}", "ko": "{value} 이하"},
    "bounds_above": {"en": "more than {value}", "ko": "{value} 초과"},
    "bounds_below": {"en": "less than {value}", "ko": "{value} 미만"},
    "bounds_none": {"en": "any value of its type", "ko": "제한 없음"},
    "not_understood": {
        "en": "Not understood, and left out: {phrases}.",
        "ko": "이해하지 못해 넣지 않은 말: {phrases}.",
    },
    "one_at_a_time": {
        "en": "One training at a time: this is the first. When it has been started, say: “{rest}”.",
        "ko": "학습은 한 번에 하나씩 준비합니다. 먼저 첫 번째입니다. 시작한 뒤에 이렇게 말씀해 주세요: “{rest}”.",
    },
    "read_as": {"en": "I read {guesses}.", "ko": "이렇게 읽었습니다: {guesses}."},
    "read_one_as": {"en": "“{words}” as “{meant}”", "ko": "“{words}” → “{meant}”"},
    # jobs
    "cancelling_already": {
        "en": "{job} is being cancelled already.",
        "ko": "{job} 학습은 이미 취소하는 중입니다.",
    },
    "ask_cancel_all": {
        "en": "Running or waiting ({count}):\n{jobs}\n\nThey are stopped one at a time. Which one?",
        "ko": "중단할 수 있는 학습 {count}개:\n{jobs}\n\n한 번에 하나씩 중단합니다. 어느 것을 중단할까요?",
    },
    "no_such_ordinal": {
        "en": "It is not clear which training “{words}” is. Running or waiting: {count}.",
        "ko": "“{words}”이(가) 어느 학습인지 알 수 없습니다. 진행 중이거나 대기 중: {count}개.",
    },
    "none_failed": {"en": "No training has failed.", "ko": "실패한 학습이 없습니다."},
    "none_ended": {"en": "No training has ended yet.", "ko": "아직 끝난 학습이 없습니다."},
    "job_epochs": {"en": "epoch {epoch} of {total}", "ko": "전체 {total} 에포크 중 {epoch}"},
    "job_progress": {"en": "{percent} %", "ko": "{percent}%"},
    "job_eta": {"en": "about {time} left", "ko": "약 {time} 남음"},
    "job_position": {"en": "number {position} in the queue", "ko": "대기 순서 {position}번째"},
    "job_best": {
        "en": "Best {metric}: {number}, at epoch {epoch}.",
        "ko": "가장 좋은 {metric}: {number} ({epoch} 에포크).",
    },
    "job_no_best": {"en": "No metric has been reported yet.", "ko": "아직 보고된 지표가 없습니다."},
    "job_cancelling": {"en": "being cancelled", "ko": "취소하는 중"},
    "job_no_reason": {
        "en": "Its log on its page holds the details.",
        "ko": "자세한 내용은 작업 페이지의 로그에 있습니다.",
    },
    "seconds": {"en": "{count} s", "ko": "{count}초"},
    "minutes": {"en": "{count} min", "ko": "{count}분"},
    "hours": {"en": "{count} h", "ko": "{count}시간"},
    "confirm_cancel": {
        "en": "Stop {job}? {stands} Say “yes” to stop it.",
        "ko": "{job} 학습을 중단할까요? {stands} 중단하려면 “네”라고 하세요.",
    },
    "stands_at": {"en": "It is at epoch {epoch} of {total}.", "ko": "지금 전체 {total} 에포크 중 {epoch}입니다."},
    "stands_in": {"en": "It is {state}.", "ko": "지금 상태: {state}."},
    "stop_label": {"en": "Stop {job}", "ko": "{job} 중단"},
    "go_on_label": {"en": "Let it run", "ko": "계속하기"},
    "no": {"en": "no", "ko": "아니요"},
    "not_stopped": {"en": "Nothing is stopped.", "ko": "아무것도 중단하지 않았습니다."},
    "not_stopped_job": {
        "en": "Nothing is stopped: {job} goes on.",
        "ko": "아무것도 중단하지 않았습니다. {job} 학습은 계속됩니다.",
    },
    "how_to_stop": {
        "en": "Nothing is stopped by asking. To stop a training, say “stop {job}” and then “yes”, or use the button on "
        "its own page, under “Jobs”.",
        "ko": "물어보시는 것만으로는 아무것도 중단되지 않습니다. 학습을 멈추려면 “{job} 중단”이라고 하신 뒤 "
        "“네”라고 하시거나, “Jobs”에 있는 그 학습의 페이지에서 버튼을 누르세요.",
    },
    "any_job": {"en": "the training", "ko": "학습"},
    "none_cancelled": {"en": "No training has been stopped.", "ko": "중단된 학습이 없습니다."},
    "ended_meanwhile": {
        "en": "It has ended in the meantime, so nothing was stopped.",
        "ko": "그 사이에 끝나서 중단한 것은 없습니다.",
    },
    "job_gone": {"en": "That training does not exist any more.", "ko": "그 학습이 더 이상 없습니다."},
    "cancelling": {"en": "Cancelling {job}.", "ko": "{job} 학습을 취소합니다."},
    "nothing_runs": {"en": "No training is running or waiting.", "ko": "진행 중이거나 대기 중인 학습이 없습니다."},
    "no_job_like": {"en": "No running training fits “{words}”.", "ko": "“{words}”에 맞는 진행 중인 학습이 없습니다."},
    "no_jobs": {"en": "There are no trainings yet.", "ko": "아직 학습한 것이 없습니다."},
    "showing": {"en": "{job}: {facts}.", "ko": "{job}: {facts}."},
    # what the chat answers, or does not do
    "thanks": {"en": "You are welcome.", "ko": "천만에요."},
    "no_forecast": {
        "en": "How long a training takes I cannot say beforehand: it depends on the machine, the data set and the "
        "model. Once it runs, its page shows the time left, and “how is it going?” tells it here. One epoch "
        "gives a first idea.",
        "ko": "학습에 걸리는 시간은 컴퓨터, 데이터셋, 모델에 따라 달라 미리 알 수 없습니다. 시작하면 작업 페이지와 "
        "“학습 어떻게 되고 있어?”에서 남은 시간을 볼 수 있습니다. 1 에포크만 돌려 보면 대략 알 수 "
        "있습니다.",
    },
    "question": {
        "en": "That is a question I have no answer to, and I started no draft from it. I can say which data sets and "
        "models there are, what a setting does, and how trainings stand. To train, say it like this: “{example}”.",
        "ko": "그 질문에는 답할 수 없으며, 계획도 만들지 않았습니다. 데이터셋과 모델 목록, 설정의 뜻, 학습 상태는 "
        "알려 드릴 수 있습니다. 학습하려면 이렇게 말씀해 주세요: “{example}”.",
    },
    "elsewhere_upload": {
        "en": "Data sets are added on the page “Data sets”: a zip with a folder of images per class. Then say here "
        "what to train on it.",
        "ko": "데이터셋은 “Data sets” 페이지에서 추가합니다: 클래스별 이미지 폴더를 담은 zip 파일입니다. 그다음 여기서 "
        "학습을 말씀해 주세요.",
    },
    "elsewhere_dataset": {
        "en": "The chat does not change or delete data sets; nothing was changed. See the page “Data sets”.",
        "ko": "채팅에서는 데이터셋을 바꾸거나 지우지 않습니다. 바뀐 것은 없습니다. “Data sets” 페이지를 이용해 주세요.",
    },
    "elsewhere_job": {
        "en": "The chat does not change or delete trainings; nothing was changed. That is done on the training's own "
        "page, under “Jobs”.",
        "ko": "채팅에서는 학습을 바꾸거나 지우지 않습니다. 바뀐 것은 없습니다. “Jobs”에 있는 그 학습의 페이지에서 "
        "할 수 있습니다.",
    },
    "elsewhere_label": {
        "en": "Images are not labelled or split here: label them with a tool of your own, and upload the data set on "
        "the page “Data sets”.",
        "ko": "여기서는 이미지에 라벨을 붙이거나 나누지 않습니다. 다른 도구로 라벨을 붙여 “Data sets” 페이지에 올려 "
        "주세요.",
    },
    "elsewhere_again": {
        "en": "A training is repeated or gone on with on its own page, under “Jobs”: “Train again” and “Go on”.",
        "ko": "학습을 다시 하거나 이어서 하는 것은 “Jobs”에 있는 그 학습의 페이지에서 합니다.",
    },
    "elsewhere_download": {
        "en": "The model is downloaded from the training's own page, under “Jobs”: its files are listed there once "
        "the training has ended.",
        "ko": "모델은 “Jobs”에 있는 그 학습의 페이지에서 내려받습니다. 학습이 끝나면 파일이 그곳에 나옵니다.",
    },
    "elsewhere_predict": {
        "en": "Models are trained here, not run. Download the model from the training's own page, under “Jobs”, and "
        "use it in your own program.",
        "ko": "여기서는 모델을 학습할 뿐 실행하지 않습니다. “Jobs”에 있는 그 학습의 페이지에서 모델을 내려받아 사용해 "
        "주세요.",
    },
    "elsewhere_install": {
        "en": "Trainers are installed on the server: the page “Models” shows the command for each.",
        "ko": "트레이너는 서버에 설치합니다. “Models” 페이지에 명령이 나와 있습니다.",
    },
    # lists and help
    "list_datasets": {"en": "Data sets{project}:", "ko": "데이터셋{project}:"},
    "list_dataset": {
        "en": "{name}: {images} images, {classes} classes, {status}",
        "ko": "{name}: 이미지 {images}장, 클래스 {classes}개, {status}",
    },
    "list_models": {
        "en": "{framework} ({status}) does {tasks} with {count} models, among them: {models}.",
        "ko": "{framework} ({status}): {tasks}, 모델 {count}개. 예: {models}.",
    },
    "list_filtered": {
        "en": "Models that fit {filters} ({count}):",
        "ko": "{filters}에 맞는 모델 ({count}개):",
    },
    "list_none_fits": {"en": "No model fits {filters}.", "ko": "{filters}에 맞는 모델이 없습니다."},
    "list_uncounted": {
        "en": "Left out, since their parameters are not known yet: {count}.",
        "ko": "모델 {count}개는 아직 파라미터 수를 몰라 넣지 않았습니다.",
    },
    "filter_name": {"en": "“{words}”", "ko": "“{words}”"},
    "filter_below": {"en": "at most {amount} parameters", "ko": "파라미터 {amount} 이하"},
    "filter_above": {"en": "at least {amount} parameters", "ko": "파라미터 {amount} 이상"},
    "filter_unclear": {
        "en": "(I did not understand {phrases}, so it was not used to choose among them.)",
        "ko": "({phrases}은(는) 이해하지 못해 고르는 데 쓰지 않았습니다.)",
    },
    "model_size": {"en": "{name}: {amount} parameters", "ko": "{name}: 파라미터 {amount}"},
    "recommend": {
        "en": "Good models to begin with{task}: {models}. Smaller ones train faster, larger ones are often more "
        "accurate. Say “use {first}”, for instance.",
        "ko": "먼저 써 볼 만한 모델{task}: {models}. 작은 모델은 빨리 학습되고, 큰 모델은 더 정확한 편입니다. "
        "예: “{first} 모델로 해줘”.",
    },
    "for_task": {"en": " for {task}", "ko": " ({task})"},
    "list_no_models": {
        "en": "{framework} ({status}) does {tasks}; its models are not known yet.",
        "ko": "{framework} ({status}): {tasks}. 모델 목록은 아직 알 수 없습니다.",
    },
    "list_jobs": {"en": "Trainings, newest first:", "ko": "학습 목록 (최신순):"},
    "more": {"en": "… and {count} more", "ko": "… 외 {count}개"},
    "explain": {
        "en": "{name} can be: {bounds}; default {default}.",
        "ko": "{name}: 가능한 값 {bounds}, 기본값 {default}.",
    },
    "explain_now": {
        "en": "{name}: now {number}. It can be: {bounds}; default {default}.",
        "ko": "{name}: 지금 {number}. 가능한 값: {bounds}, 기본값 {default}.",
    },
    "explain_rest": {
        "en": "It can be: {bounds}; default {default}.",
        "ko": "가능한 값: {bounds}, 기본값 {default}.",
    },
    "explain_rest_now": {
        "en": "Now {number}. It can be: {bounds}; default {default}.",
        "ko": "지금 {number}. 가능한 값: {bounds}, 기본값 {default}.",
    },
    "help": {
        "en": "Say what to train, for instance: “{example}”. Also: “list my data sets”, “what models are there?”, "
        "“how is my training going?”, “stop it”, “start over”.",
        "ko": "무엇을 학습할지 말씀해 주세요. 예: “{example}”. 그 밖에: “데이터셋 목록 보여줘”, “어떤 모델이 있어?”, "
        "“학습 어떻게 되고 있어?”, “학습 중단”, “처음부터”.",
    },
    "example": {
        "en": "train {model} on {dataset} for 10 epochs",
        "ko": "{dataset} 데이터로 {model} 10 에포크 학습해줘",
    },
    "unclear": {"en": "I did not understand that.", "ko": "이해하지 못했습니다."},
    "too_long": {
        "en": "That message is too long: {count} characters, at most {limit}.",
        "ko": "메시지가 너무 깁니다: {count}자, 최대 {limit}자.",
    },
    "yes": {"en": "yes", "ko": "네"},
    "reset": {"en": "start over", "ko": "처음부터"},
    "start_label": {"en": "Start", "ko": "시작"},
    "reset_label": {"en": "Start over", "ko": "처음부터"},
}
